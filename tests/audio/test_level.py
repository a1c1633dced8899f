"""Levels of sounds whose level is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from calm_eval.audio.level import bandwidth_hz, clipping_share, dc, peak_dbfs, rms_dbfs, silence_share
from calm_eval.audio.mono import SignalError

RATE = 16000


def sine(hertz: float, amplitude: float = 1.0, seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


@pytest.mark.parametrize("amplitude", [1.0, 0.5, 1e-3, 1e-200, 2.0])
def test_a_sine_has_its_peak_and_3_db_less_of_rms(amplitude: float) -> None:
    # 400 Hz has a sample at its crest at 16 kHz.
    sound = sine(400, amplitude)
    decibels = 20 * math.log10(amplitude)
    assert peak_dbfs(sound) == pytest.approx(decibels, abs=1e-9)
    assert rms_dbfs(sound) == pytest.approx(decibels - 10 * math.log10(2), abs=1e-9)
    assert rms_dbfs(-sound) == rms_dbfs(sound)
    assert peak_dbfs(-sound) == peak_dbfs(sound)


def test_levels_of_a_constant_and_of_one_sample() -> None:
    assert peak_dbfs([-0.1]) == pytest.approx(-20)
    assert rms_dbfs([-0.1]) == pytest.approx(-20)
    assert rms_dbfs(np.full(100, 0.1)) == pytest.approx(-20)
    assert rms_dbfs([1, 0, 0, 0]) == pytest.approx(-10 * math.log10(4))


@pytest.mark.parametrize("level", [peak_dbfs, rms_dbfs])
def test_silence_has_no_level(level) -> None:
    with pytest.raises(SignalError) as caught:
        level(np.zeros(10))
    assert caught.value.name == "silent"


def test_silence_share_by_hand() -> None:
    assert silence_share(np.concatenate([sine(440), np.zeros(3 * RATE)]), RATE) == 0.75
    assert silence_share(np.zeros(1), RATE) == 1
    assert silence_share([0.01], RATE) == 0
    # 320 samples of sound, and a last frame of 80 that is silent.
    assert silence_share(np.concatenate([np.ones(320), np.zeros(80)]), RATE) == pytest.approx(0.2)
    # Its RMS is that of its own 80 samples, at -56.5 dBFS.
    assert silence_share(np.concatenate([np.ones(320), np.full(80, 0.0015)]), RATE) == 0


def test_the_line_lies_at_60_db_under_full_scale() -> None:
    # The RMS of a sine lies 3.01 dB under its amplitude.
    assert silence_share(sine(400, 10 ** (-56.9 / 20)), RATE) == 0
    assert silence_share(sine(400, 10 ** (-57.1 / 20)), RATE) == 1


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_silence_share_does_not_depend_on_the_rate(rate: int) -> None:
    sound = np.concatenate([sine(400, rate=rate), np.zeros(rate)])
    assert silence_share(sound, rate) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("clip_at", [0.3, 0.7, 0.9])
def test_a_clipped_sine_spends_the_arc_cosine_of_its_limit_at_full_scale(clip_at: float) -> None:
    # 0.99 of the limit: where |sin| is above it, a share of 1 - 2/pi asin(.).
    clipped = np.clip(sine(7.3, 1 / clip_at, seconds=10), -1, 1)
    truth = 1 - 2 / math.pi * math.asin(0.99 * clip_at)
    assert clipping_share(clipped) == pytest.approx(truth, abs=2e-3)
    assert clipping_share(-clipped) == clipping_share(clipped)


def test_one_peak_is_one_sample_and_what_was_turned_down_is_not_found() -> None:
    sound = sine(440, 0.5)
    sound[77] = -1.0
    assert clipping_share(sound) == 1 / RATE
    assert clipping_share(0.9 * np.clip(sine(440, 5), -1, 1)) == 0
    assert clipping_share([3.0]) == 1


@pytest.mark.parametrize("rate", [16000, 24000])
def test_clipping_is_still_seen_after_resampling(rate: int) -> None:
    import soxr

    rng = np.random.default_rng(0)
    clipped = np.clip(soxr.resample(rng.standard_normal(4000), 2000, rate), -1, 1)
    brought_up = soxr.resample(clipped, rate, 48000, quality="VHQ")
    assert 0.3 < clipping_share(clipped) < 0.35
    assert clipping_share(brought_up) == pytest.approx(clipping_share(clipped), rel=0.2)
    # At full scale itself, half would be gone.
    assert np.mean(np.abs(brought_up) >= 1) < 0.6 * np.mean(np.abs(clipped) >= 1)


def test_dc_is_the_mean_with_its_sign() -> None:
    assert dc(sine(440) - 0.02) == pytest.approx(-0.02, abs=1e-12)
    assert dc([0.25]) == 0.25
    assert dc([1, -1, 1, -1]) == 0


@pytest.mark.parametrize("hertz", [1, 50, 440, 3000, 7999])
def test_the_bandwidth_of_a_sine_is_its_frequency(hertz: float) -> None:
    for sound in (sine(hertz), -1e-200 * sine(hertz), sine(hertz, 0.1) + 0.5):
        assert bandwidth_hz(sound, RATE) == hertz


@pytest.mark.parametrize(("amplitude", "truth"), [(0.09, 500), (0.11, 6000)])
def test_a_hundredth_of_the_energy_is_left_over(amplitude: float, truth: float) -> None:
    # Energies 1 and a^2: the upper tone holds under or over 1 % of the sum at a = 0.1005.
    assert bandwidth_hz(sine(500) + sine(6000, amplitude), RATE) == truth


@pytest.mark.parametrize(("amplitude", "truth"), [(0.063, RATE / 4), (0.079, RATE / 2)])
def test_half_the_rate_is_one_frequency_like_any_other(amplitude: float, truth: float) -> None:
    # The energy of (-1)^n is a^2, that of a sine a half: 0.8 % and 1.2 % of the sum.
    sound = np.cos(np.pi / 2 * np.arange(400)) + amplitude * (-1.0) ** np.arange(400)
    assert bandwidth_hz(sound, RATE) == truth


@pytest.mark.parametrize("rate", [16000, 44100])
def test_white_noise_reaches_99_hundredths_of_nyquist(rate: int) -> None:
    noise = np.random.default_rng(0).standard_normal(5 * rate)
    assert bandwidth_hz(noise, rate) == pytest.approx(0.99 * rate / 2, rel=2e-3)


def test_the_bandwidth_survives_a_higher_rate_and_an_odd_length() -> None:
    import soxr

    noise = np.random.default_rng(0).standard_normal(2 * RATE)
    # The resampler's own slope takes the highest twentieth.
    assert bandwidth_hz(soxr.resample(noise, RATE, 48000, quality="VHQ"), 48000) == pytest.approx(7600, rel=0.02)
    assert bandwidth_hz([1, 0, -1], RATE) == pytest.approx(RATE / 3)
    assert bandwidth_hz([1, -1], RATE) == RATE / 2


@pytest.mark.parametrize("sound", [[0.5], np.zeros(9), np.full(1000, 0.1)])
def test_a_constant_has_no_bandwidth(sound) -> None:
    with pytest.raises(SignalError, match="silent"):
        bandwidth_hz(sound, RATE)


@pytest.mark.parametrize(
    "quantity",
    [peak_dbfs, rms_dbfs, clipping_share, dc, lambda s: silence_share(s, RATE), lambda s: bandwidth_hz(s, RATE)],
)
def test_bad_sound_is_named(quantity) -> None:
    for sound, name in (([], "empty"), ([0.1, np.nan], "nan"), ([0.1, -np.inf], "nan")):
        with pytest.raises(SignalError) as caught:
            quantity(sound)
        assert caught.value.name == name
    with pytest.raises(ValueError, match="shape"):
        quantity(np.ones((2, 10)))
