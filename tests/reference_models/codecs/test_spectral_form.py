from __future__ import annotations

import math

import pytest
import torch
from codec_builders import noise

from reference_models.codecs.phases import peak_phases
from reference_models.codecs.spectral import bounded, levels, log_magnitudes, spectrum
from reference_models.codecs.stft import CausalSTFT


def test_levels_are_log_magnitudes_whatever_the_phase() -> None:
    magnitude, phase = torch.tensor([math.exp(-8.0), math.exp(-5.0), 1.0]), torch.tensor([0.0, 1.0, -2.0])
    expected = torch.tensor([0.0, 1.0, 8.0 / 3.0])
    torch.testing.assert_close(levels(torch.polar(magnitude, phase)), expected, atol=0.02, rtol=0)
    torch.testing.assert_close(levels(torch.polar(magnitude, phase + 1.0)), levels(torch.polar(magnitude, phase)))


def test_silence_has_a_finite_level_and_slope() -> None:
    silent = torch.zeros(1, 5, dtype=torch.complex64, requires_grad=True)
    out = levels(silent)
    out.sum().backward()
    torch.testing.assert_close(out.detach(), torch.full((1, 5), (math.log(1e-5) + 8.0) / 3.0))
    assert bool(torch.isfinite(torch.view_as_real(silent.grad)).all())


def test_the_log_magnitude_is_free_below_and_bounded_above() -> None:
    level = bounded(torch.tensor([-20.0, -6.0, 0.0, 50.0]))
    torch.testing.assert_close(level[:2], torch.tensor([-20.0, -6.0]), rtol=1e-3, atol=0)
    assert float(level.max()) <= 2.0


def test_every_decoder_input_keeps_the_spectrum_finite() -> None:
    x = (100.0 * noise(3, 30)).requires_grad_()
    torch.view_as_real(spectrum(bounded(x), noise(3, 30))).square().sum().backward()
    assert bool(torch.isfinite(x.grad).all())


@pytest.mark.parametrize("frequency", [110.3, 440.7, 1234.5, 3000.0])
def test_a_tone_of_any_frequency_comes_back_as_a_tone(frequency: float) -> None:
    stft = CausalSTFT(640, 160)
    time = torch.arange(32_000) / 16_000
    made = from_magnitudes(stft, 0.5 * torch.sin(2 * math.pi * frequency * time))[8_000:24_000]
    power = torch.fft.rfft(made * torch.hann_window(16_000)).abs().square()
    peak = int(power.argmax())  # one bin is one hertz
    assert abs(peak - frequency) < 1.0
    assert float(power[peak - 3 : peak + 4].sum() / power.sum()) > 0.999
    assert float(made.square().mean().sqrt()) == pytest.approx(0.5 / 2**0.5, rel=0.1)


def test_two_tones_keep_their_own_phases() -> None:
    stft = CausalSTFT(640, 160)
    time = torch.arange(32_000) / 16_000
    made = from_magnitudes(stft, sum(0.3 * torch.sin(2 * math.pi * f * time) for f in (500.0, 1_210.0)))[8_000:24_000]
    power = torch.fft.rfft(made * torch.hann_window(16_000)).abs().square()
    near = sum(float(power[f - 3 : f + 4].sum()) for f in (500, 1_210))
    assert near / float(power.sum()) > 0.995


def test_phases_go_on_where_the_frames_before_ended() -> None:
    levels, turn = noise(2, 30, 81), math.pi / 2
    whole = peak_phases(levels, torch.zeros(2, 81), turn)
    first = peak_phases(levels[:, :11], torch.zeros(2, 81), turn)
    rest = peak_phases(levels[:, 11:], first[:, -1], turn)
    torch.testing.assert_close(torch.cat([first, rest], dim=1), whole)


def test_a_spectrum_without_any_peak_turns_each_bin_by_itself() -> None:
    falling = torch.linspace(0.0, -5.0, 9).expand(1, 4, 9)
    phases = peak_phases(falling, torch.zeros(1, 9), 0.1)
    expected = 0.1 * torch.arange(9.0)[None] * torch.arange(1.0, 5.0)[:, None]
    torch.testing.assert_close(phases[0], expected)


def from_magnitudes(stft: CausalSTFT, audio: torch.Tensor) -> torch.Tensor:
    levels = log_magnitudes(stft(audio[None]))
    phases = peak_phases(levels, torch.zeros(1, stft.bins), 2 * math.pi * stft.hop / stft.size)
    return stft.inverse(spectrum(levels, phases))[0]
