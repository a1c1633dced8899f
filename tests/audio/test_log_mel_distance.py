"""Log-mel distance by closed forms, laws and librosa."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.audio.log_mel_distance import log_mel_distance
from calm_eval.audio.mono import SignalError

RATE = 16000


def white(seed: int, frames: int = RATE) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(frames)


def sine(hertz: float, rate: int = RATE) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)


@pytest.mark.parametrize("gain", [0.5, -0.5, 2.0, 0.1])
def test_a_gain_on_one_is_its_decibels(gain: float) -> None:
    truth = abs(20 * np.log10(abs(gain)))
    assert log_mel_distance(gain * white(0), white(0), RATE) == pytest.approx(truth, abs=1e-6)


@pytest.mark.parametrize("gain", [1e-150, 1e-6, 1e3, -1.0])
def test_a_gain_on_both_changes_nothing(gain: float) -> None:
    plain = log_mel_distance(white(0), white(1), RATE)
    assert plain > 2
    assert log_mel_distance(gain * white(0), gain * white(1), RATE) == pytest.approx(plain, abs=1e-9)


def test_the_same_is_0_and_more_noise_is_farther() -> None:
    sound = sine(440) + sine(1000)
    assert log_mel_distance(sound, sound, RATE) == 0
    assert log_mel_distance(-sound, sound, RATE) == 0
    steps = [log_mel_distance(sound + level * white(0), sound, RATE) for level in (1e-4, 1e-3, 1e-2, 1e-1, 1)]
    assert steps == sorted(steps)
    assert steps[0] < 1
    assert steps[-1] > 20


def test_what_lies_80_db_down_does_not_count() -> None:
    assert log_mel_distance(sine(1000) + 1e-5 * white(0), sine(1000), RATE) < 0.01
    assert log_mel_distance(sine(1000) + 1e-2 * white(0), sine(1000), RATE) > 5


def test_a_delay_of_a_millisecond_costs_little() -> None:
    sound = white(0, RATE + 16)
    delayed = log_mel_distance(sound[16:], sound[:-16], RATE)
    assert 0 < delayed < log_mel_distance(white(1), white(0), RATE) / 2


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 44100])
def test_equals_librosa(rate: int) -> None:
    import librosa

    rng = np.random.default_rng(3)
    fading = np.linspace(0, 1, rate) ** 4
    first, second = (sine(1200, rate) * fading + 1e-3 * rng.standard_normal(rate) for _ in range(2))
    decibels = []
    for sound in (first, second):
        power = librosa.feature.melspectrogram(
            y=sound, sr=rate, n_fft=round(0.064 * rate), hop_length=round(0.016 * rate), n_mels=80
        )
        decibels.append(librosa.power_to_db(power, amin=1e-30, top_db=None))
    floor = decibels[1].max() - 80
    truth = np.abs(np.maximum(decibels[0], floor) - np.maximum(decibels[1], floor)).mean()
    assert log_mel_distance(first, second, rate) == pytest.approx(truth, rel=1e-4)


def test_digital_silence_is_as_far_as_the_reference_stands_over_the_floor() -> None:
    import librosa

    power = librosa.feature.melspectrogram(y=white(0), sr=RATE, n_fft=1024, hop_length=256, n_mels=80)
    truth = (librosa.power_to_db(power, ref=np.max, amin=1e-30, top_db=80) + 80).mean()
    assert log_mel_distance(np.zeros(RATE), white(0), RATE) == pytest.approx(truth, rel=1e-4)
    with pytest.raises(SignalError, match="silent"):
        log_mel_distance(white(0), np.zeros(RATE), RATE)


def test_one_sample_is_a_click_whose_gain_is_its_decibels() -> None:
    assert log_mel_distance([0.05], [0.5], RATE) == pytest.approx(20, abs=1e-9)


@pytest.mark.parametrize(
    ("generated", "reference", "name"),
    [
        ([], [], "empty"),
        ([1, np.nan], [1, 2], "nan"),
        ([1, 2], [np.inf, 2], "nan"),
        (np.ones(100), np.ones(99), "unequal-lengths"),
    ],
)
def test_what_has_no_distance_is_named(generated, reference, name: str) -> None:
    with pytest.raises(SignalError) as caught:
        log_mel_distance(generated, reference, RATE)
    assert caught.value.name == name
