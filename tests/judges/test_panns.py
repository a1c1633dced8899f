"""PANNs' Cnn14: the front end against librosa, the network against its layers one by one, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from parity import apart, peer, shared_checkpoint
from shared_weights import parity_clip

from calm_eval.audio.mel import mel_filters
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.panns import PannsJudge
from calm_eval.judges.panns_front_end import RATES, PannsLogMel
from calm_eval.judges.panns_network import FRONT_END_ONLY, build

torch = pytest.importorskip("torch")
librosa = pytest.importorskip("librosa")


def clip(rate: int, seconds: float, seed: int = 0):
    return (0.2 * np.random.default_rng(seed).standard_normal(int(rate * seconds))).astype(np.float32)


@pytest.mark.parametrize("rate", RATES.values(), ids=str)
def test_log_mel_is_librosas(rate) -> None:
    audio = clip(rate.sample_rate, 1.3)
    found = PannsLogMel(rate, torch, "cpu")(torch.from_numpy(audio)[None])[0].numpy()
    power = np.abs(
        librosa.stft(audio, n_fft=rate.window, hop_length=rate.hop, window="hann", center=True, pad_mode="reflect")
    ) ** 2  # fmt: skip
    filters = librosa.filters.mel(
        sr=rate.sample_rate, n_fft=rate.window, n_mels=64, fmin=50, fmax=rate.highest_hz, dtype=np.float64
    )
    mine = mel_filters(rate.sample_rate, rate.window, 64, 50.0, rate.highest_hz)
    assert mine == pytest.approx(filters, abs=1e-9)
    expected = librosa.power_to_db(filters @ power, ref=1.0, amin=1e-10, top_db=None).T
    assert found.shape == (1 + len(audio) // rate.hop, 64)
    assert found == pytest.approx(expected, abs=2e-4)


def test_silence_is_at_the_floor() -> None:
    found = PannsLogMel(RATES[16000], torch, "cpu")(torch.zeros(1, 16000))
    assert found.numpy() == pytest.approx(-100.0)


def test_the_keys_are_those_of_the_published_checkpoints() -> None:
    expected = {f"bn0.{part}" for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")}
    for place in range(1, 7):
        expected |= {f"conv_block{place}.conv{one}.weight" for one in (1, 2)}
        expected |= {
            f"conv_block{place}.bn{one}.{part}"
            for one in (1, 2)
            for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        }
    expected |= {f"{layer}.{part}" for layer in ("fc1", "fc_audioset") for part in ("weight", "bias")}
    assert set(build(torch).state_dict()) == expected


def test_a_checkpoint_with_its_front_end_is_read_and_another_is_not(tmp_path) -> None:
    state = build(torch).state_dict()
    whole = tmp_path / "Cnn14_16k.pth"
    torch.save({"model": {**state, **{name: torch.zeros(1) for name in FRONT_END_ONLY}}}, whole)
    judge = PannsJudge(path=str(whole))
    judge.load("cpu", 1)
    (found,) = judge.judge([clip(16000, 1.0)])
    assert found.vectors.shape == (1, 2048)
    assert found.vectors.min() >= 0
    torch.save({**state, "features.0.weight": torch.zeros(1)}, whole)
    with pytest.raises(UnavailableError, match="not a checkpoint of Cnn14"):
        PannsJudge(path=str(whole)).load("cpu", 1)


def test_outputs_and_refusals() -> None:
    made = {}
    audio = clip(16000, 2.0)
    for output in ("embedding", "tags", "logits"):
        judge = PannsJudge(output=output, random=3)
        judge.load("cpu", 1)
        made[output] = judge.judge([audio])[0].vectors
        assert judge.judge([audio, clip(16000, 1.0, 1)])[0].vectors == pytest.approx(made[output], abs=1e-6)
        for broken, why in (
            ([], "empty"),
            ([np.inf] * 9000, "nan"),
            ([0.0] * 9000, "silent"),
            ([0.1] * 4959, "too-short"),
        ):
            assert judge.judge([np.array(broken, dtype=np.float32)])[0].refused == why
        judge.close()
    assert made["tags"] == pytest.approx(1 / (1 + np.exp(-made["logits"].astype(np.float64))), abs=1e-6)
    assert made["tags"].shape == (1, 527)
    least = PannsJudge(random=3)
    least.load("cpu", 1)
    assert least.judge([np.full(4960, 0.1, dtype=np.float32)])[0].vectors.shape == (1, 2048)


def test_identities() -> None:
    names = [PannsJudge(rate, output, random=0).info.name for rate, output in ((8000, "embedding"), (32000, "tags"))]
    assert names == ["panns-cnn14-8k", "panns-cnn14-32k/tags"]
    assert PannsJudge(random=0).info.sample_rate == 16000
    with pytest.raises(InputError, match="no sample_rate 44100"):
        PannsJudge(44100)
    with pytest.raises(InputError, match="no output 'mel'"):
        PannsJudge(output="mel")


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> str:
    """One checkpoint for every rate: the layers have the same names and sizes."""
    return shared_checkpoint(build(torch), tmp_path_factory.mktemp("panns") / "cnn14.pth", torch)


@pytest.mark.parametrize("rate", [8000, 16000, 32000])
def test_answers_are_those_of_frechet_audio_distance(shared, rate) -> None:
    """frechet-audio-distance 0.3.4's Cnn14 on the same weights and samples; at 32 kHz with the right mels."""
    theirs = peer("frechet_audio_distance")
    answers = {}
    for output in ("embedding", "tags"):
        judge = PannsJudge(rate, output, path=shared)
        judge.load("cpu", 1)
        for kind, seconds in (("chord", 2.0), ("chirp", 3.5), ("noise", 0.5)):
            (judged,) = judge.judge([parity_clip(kind, seconds, rate)])
            answers[kind, output] = judged.vectors[0]
            assert apart(judged.vectors[0], theirs[f"{rate // 1000}k {kind} {output}"]) < 1e-4
    assert apart(answers["chord", "embedding"], answers["chirp", "embedding"]) > 0.05
    assert apart(answers["chord", "tags"], answers["chirp", "tags"]) > 0.05


def test_frechet_audio_distance_hears_other_mels_at_32_khz(shared) -> None:
    """Up to 16 kHz, with a checkpoint trained on mels up to 14: another number for every clip."""
    theirs = peer("frechet_audio_distance")
    for kind in ("chord", "chirp", "noise"):
        right, wrong = (theirs[f"32k{mels} {kind} embedding"] for mels in ("", ", mels up to 16 kHz"))
        assert apart(wrong, right) > 0.005
