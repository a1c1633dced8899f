from __future__ import annotations

import math

import torch
from codec_builders import noise

from reference_models.codecs.spectral import compressed, spectrum


def test_compression_keeps_the_phase_and_takes_the_magnitude_to_the_power_0_3() -> None:
    magnitude, phase = torch.tensor([0.01, 0.1, 1.0, 4.0]), torch.tensor([0.0, 1.0, -2.0, 3.0])
    real, imaginary = compressed(torch.polar(magnitude, phase)).chunk(2)
    torch.testing.assert_close(torch.hypot(real, imaginary), magnitude**0.3, rtol=2e-3, atol=0)
    torch.testing.assert_close(torch.atan2(imaginary, real), phase, atol=1e-5, rtol=0)


def test_silence_is_zero_with_a_finite_slope() -> None:
    silent = torch.zeros(1, 5, dtype=torch.complex64, requires_grad=True)
    out = compressed(silent)
    out.sum().backward()
    assert float(out.detach().abs().max()) == 0.0
    assert bool(torch.isfinite(torch.view_as_real(silent.grad)).all())


def test_the_log_magnitude_is_free_below_and_bounded_above() -> None:
    level = torch.tensor([-20.0, -6.0, 0.0, 50.0])
    made = spectrum(torch.cat([level, torch.ones(4), torch.zeros(4)]))
    torch.testing.assert_close(made.real[:2], level[:2].exp(), rtol=1e-3, atol=0)
    assert float(made.abs().max()) <= math.e**2 + 1e-4


def test_every_decoder_input_keeps_the_spectrum_finite() -> None:
    x = (100.0 * noise(3, 30)).requires_grad_()
    torch.view_as_real(spectrum(x)).square().sum().backward()
    assert bool(torch.isfinite(x.grad).all())
