"""The judge `signal`: every score where it is defined, a reason where it is not."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from calm_eval.audio.level import bandwidth_hz
from calm_eval.errors import InputError
from calm_eval.judges.signal import SignalJudge

SCORES = {
    "peak_dbfs",
    "rms_dbfs",
    "silence_share",
    "clipping_share",
    "dc",
    "bandwidth_hz",
    "loop_strength",
    "loop_seconds",
}


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(round(seconds * 48000))).astype(np.float32)


def test_a_full_answer() -> None:
    quiet = np.zeros(48000, dtype=np.float32)
    (answer,) = SignalJudge().judge([np.concatenate([noise(3), quiet])])
    assert set(answer.scores) == SCORES
    assert answer.notes == {"undefined": {}}
    assert answer.scores["silence_share"] == 0.25
    assert answer.scores["clipping_share"] == 0
    # Three quarters of the time at an RMS of 0.1.
    assert answer.scores["rms_dbfs"] == pytest.approx(-20 + 10 * np.log10(0.75), abs=0.05)
    assert answer.scores["bandwidth_hz"] == pytest.approx(0.99 * 24000, rel=5e-3)
    assert abs(answer.scores["dc"]) < 1e-3
    assert all(type(score) is float for score in answer.scores.values())


def test_refusals_and_what_is_not_defined() -> None:
    spoilt = noise(1)
    spoilt[3] = np.inf
    empty, nan, silent, one = SignalJudge().judge(
        [np.zeros(0, np.float32), spoilt, np.zeros(3 * 48000, np.float32), np.array([0.5], np.float32)]
    )
    assert (empty.refused, nan.refused) == ("empty", "nan")
    assert not empty.scores
    assert not nan.scores
    assert silent.scores == {"silence_share": 1.0, "clipping_share": 0.0, "dc": 0.0, "loop_strength": 0.0}
    assert silent.notes["undefined"] == {
        "peak_dbfs": "silent",
        "rms_dbfs": "silent",
        "bandwidth_hz": "silent",
        "loop_seconds": "steady",
    }
    assert one.scores["dc"] == 0.5
    assert one.notes["undefined"] == {
        "bandwidth_hz": "silent",
        "loop_strength": "too-short",
        "loop_seconds": "too-short",
    }


def test_every_score_is_given_or_explained() -> None:
    sounds = [noise(0.5), noise(2), np.zeros(9, np.float32), np.full(200000, 0.2, np.float32)]
    for answer in SignalJudge().judge(sounds):
        assert set(answer.scores) | set(answer.notes["undefined"]) == SCORES
        assert not set(answer.scores) & set(answer.notes["undefined"])


def test_an_answer_does_not_depend_on_its_neighbours() -> None:
    sounds = [noise(2.5, seed) for seed in range(3)]
    judge = SignalJudge()
    assert judge.judge(sounds) == [judge.judge([sound])[0] for sound in sounds]
    assert judge.judge(sounds[::-1]) == judge.judge(sounds)[::-1]


@pytest.mark.parametrize("rate", [16000, 24000, 44100])
def test_at_48_khz_the_bandwidth_of_a_lower_rate_is_kept(rate: int) -> None:
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(3 * rate))
    spectrum[round(0.8 * spectrum.size) :] = 0
    sound = np.fft.irfft(spectrum).astype(np.float32)
    (answer,) = SignalJudge().judge([soxr.resample(sound, rate, 48000, quality="VHQ")])
    assert bandwidth_hz(sound, rate) == pytest.approx(0.99 * 0.8 * rate / 2, rel=5e-3)
    assert answer.scores["bandwidth_hz"] == pytest.approx(0.99 * 0.8 * rate / 2, rel=5e-3)


def test_another_rate_is_another_identity() -> None:
    usual, other = SignalJudge().info, SignalJudge(sample_rate=16000).info
    assert (usual.name, usual.sample_rate, usual.weights) == ("signal", 48000, {})
    assert (other.name, other.sample_rate) == ("signal/16000", 16000)
    assert usual.parameters == other.parameters
    for wrong in (0, -1, 16000.0, True, "16000"):
        with pytest.raises(InputError, match="sample_rate"):
            SignalJudge(sample_rate=wrong)  # type: ignore[arg-type]
