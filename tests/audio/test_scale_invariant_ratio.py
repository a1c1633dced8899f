"""SI-SDR and SI-SNR by closed forms, laws and torchmetrics."""

from __future__ import annotations

import math

import numpy as np
import pytest

from calm_eval.audio.mono import SignalError
from calm_eval.audio.scale_invariant_ratio import LIMIT_DB, si_sdr, si_snr

RATE = 16000
BOTH = pytest.mark.parametrize("ratio", [si_sdr, si_snr])


def turn(cycles: int, phase: float = 0.0, frames: int = 1600) -> np.ndarray:
    """A sine of whole cycles: its mean is 0, and sines of other cycles or a quarter turn away are orthogonal to it."""
    return np.sin(2 * np.pi * cycles * np.arange(frames) / frames + phase)


def white(seed: int, frames: int = RATE) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(frames)


def test_by_hand() -> None:
    # The reference explains (3, 0), which leaves (0, 4).
    assert si_sdr([3, 4], [1, 0], RATE) == pytest.approx(20 * math.log10(3 / 4))
    # Means 2 and 1 off: (1, 0, -1) on (1, -1, 0) leaves (1/2, 1/2, -1), energies 1/2 and 3/2.
    assert si_snr([3, 2, 1], [2, 0, 1], RATE) == pytest.approx(10 * math.log10(1 / 3))


@BOTH
@pytest.mark.parametrize("noise", [2.0, 1.0, 0.1, 1e-3, 1e-5])
def test_orthogonal_noise_has_the_ratio_of_the_energies(ratio, noise: float) -> None:
    assert ratio(turn(10) + noise * turn(33), turn(10), RATE) == pytest.approx(-20 * math.log10(noise), abs=1e-6)


@BOTH
@pytest.mark.parametrize("degrees", [1, 10, 45, 80])
def test_a_delay_of_a_sine_is_the_cotangent_of_its_angle(ratio, degrees: float) -> None:
    angle = math.radians(degrees)
    assert ratio(turn(10, angle), turn(10), RATE) == pytest.approx(-20 * math.log10(math.tan(angle)), abs=1e-9)


@BOTH
def test_a_delay_of_one_sample_ruins_white_noise(ratio) -> None:
    noise = white(0, RATE + 1)
    assert ratio(noise[1:], noise[:-1], RATE) < -30


@BOTH
@pytest.mark.parametrize("gain", [-1.0, 1e-200, 1e-6, 0.3, 1e6, -1e200])
def test_gain_and_polarity_of_either_do_not_count(ratio, gain: float) -> None:
    reference, generated = white(0), white(0) + 0.1 * white(1)
    plain = ratio(generated, reference, RATE)
    assert plain == pytest.approx(20, abs=0.2)
    assert ratio(gain * generated, reference, RATE) == pytest.approx(plain, abs=1e-9)
    assert ratio(generated, gain * reference, RATE) == pytest.approx(plain, abs=1e-9)


@pytest.mark.parametrize("offset", [0.01, 0.5])
def test_an_offset_is_noise_to_one_and_nothing_to_the_other(offset: float) -> None:
    reference, generated = turn(10), turn(10) + 1e-3 * turn(20)
    assert si_snr(generated + offset, reference, RATE) == pytest.approx(60, abs=1e-9)
    assert si_snr(generated, reference - offset, RATE) == pytest.approx(60, abs=1e-9)
    truth = 10 * math.log10(0.5 / (0.5e-6 + offset**2))
    assert si_sdr(generated + offset, reference, RATE) == pytest.approx(truth, abs=1e-9)


@BOTH
def test_the_limits_are_an_exact_copy_and_no_trace(ratio) -> None:
    reference = white(0)
    for gain in (1.0, -0.5, 1 / 3):
        assert ratio(gain * reference, reference, RATE) == LIMIT_DB
    assert ratio([1, -1, 0, 0], [0, 0, 1, -1], RATE) == -LIMIT_DB
    assert ratio(turn(10), turn(11), RATE) == -LIMIT_DB


def test_one_sample_is_a_multiple_of_any_other_and_nothing_without_its_mean() -> None:
    assert si_sdr([0.5], [-0.1], RATE) == LIMIT_DB
    with pytest.raises(SignalError, match="silent"):
        si_snr([0.5], [-0.1], RATE)


@BOTH
@pytest.mark.parametrize(
    ("generated", "reference", "name"),
    [
        (np.zeros(9), np.ones(9) * np.arange(9), "silent"),
        (np.ones(9) * np.arange(9), np.zeros(9), "silent"),
        ([], [], "empty"),
        ([1, np.nan], [1, 2], "nan"),
        ([1, 2], [1, np.inf], "nan"),
        ([1, 2, 3], [1, 2], "unequal-lengths"),
    ],
)
def test_what_has_no_ratio_is_named(ratio, generated, reference, name: str) -> None:
    with pytest.raises(SignalError) as caught:
        ratio(generated, reference, RATE)
    assert caught.value.name == name


@BOTH
def test_two_channels_are_not_samples(ratio) -> None:
    with pytest.raises(ValueError, match="shape"):
        ratio(np.ones((2, 9)), np.ones((2, 9)), RATE)


def test_a_constant_is_silence_without_its_mean() -> None:
    with pytest.raises(SignalError, match="silent"):
        si_snr(np.full(1000, 0.1), white(0, 1000), RATE)


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.01, 0.3, 3.0])
def test_equals_torchmetrics(noise: float) -> None:
    audio = pytest.importorskip("torchmetrics.functional.audio")
    torch = pytest.importorskip("torch")
    reference = white(0) + 0.2
    generated = 0.7 * reference + noise * white(1) - 0.1
    pair = [torch.from_numpy(each) for each in (generated, reference)]
    theirs = audio.scale_invariant_signal_distortion_ratio(*pair, zero_mean=False)
    assert si_sdr(generated, reference, RATE) == pytest.approx(float(theirs), abs=1e-9)
    theirs = audio.scale_invariant_signal_noise_ratio(*pair)
    assert si_snr(generated, reference, RATE) == pytest.approx(float(theirs), abs=1e-9)
