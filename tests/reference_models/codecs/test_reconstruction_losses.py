from __future__ import annotations

import math

import pytest
import torch
from codec_builders import noise

from reference_models.codecs.losses.spectral import MultiScaleSpectral
from reference_models.codecs.losses.time import l1
from reference_models.errors import ModelError

SIZES = (64, 256, 1024)


def test_l1_closed_forms() -> None:
    audio = noise(2, 1, 4000)
    assert l1(audio, audio).item() == 0.0
    assert l1(audio, audio + 0.25).item() == pytest.approx(0.25, rel=1e-5)
    # The mean of |N(0, 1)| is sqrt(2 / pi).
    assert l1(audio, torch.zeros_like(audio)).item() == pytest.approx(math.sqrt(2.0 / math.pi), rel=0.03)


@pytest.mark.parametrize("bands", [None, (8, 24, 64)])
@pytest.mark.parametrize("gain", [0.5, 3.0])
def test_a_gain_costs_its_logarithm_and_its_share_of_the_magnitude(gain: float, bands: tuple[int, ...] | None) -> None:
    audio = noise(2, 1, 8000)
    logs = MultiScaleSpectral(16_000, SIZES, bands, log_weight=1e6)(audio, gain * audio) / 1e6
    assert logs.item() == pytest.approx(abs(math.log(gain)), rel=1e-3)
    plain = MultiScaleSpectral(16_000, SIZES, bands, log_weight=0.0)
    level = sum(plain.magnitudes(audio[:, 0], scale).mean().item() for scale in range(3)) / 3
    assert plain(audio, gain * audio).item() == pytest.approx(abs(gain - 1.0) * level, rel=1e-3)


def test_identical_signals_cost_nothing_and_a_flipped_sign_neither() -> None:
    loss = MultiScaleSpectral(16_000, SIZES)
    audio = noise(1, 1, 4000)
    assert loss(audio, audio).item() == 0.0
    assert loss(audio, -audio).item() == pytest.approx(0.0, abs=1e-6)


def test_a_full_scale_sine_has_magnitude_one() -> None:
    sine = torch.sin(2.0 * math.pi * 1000.0 / 16_000.0 * torch.arange(8000))[None]
    loss = MultiScaleSpectral(16_000, (64, 1024))
    for scale, size in ((0, 64), (1, 1024)):
        middle = loss.magnitudes(sine, scale)[0, 8:-8, size // 16]
        torch.testing.assert_close(middle, torch.ones_like(middle), atol=1e-3, rtol=0)


def test_silence_has_finite_losses_and_gradients() -> None:
    made = torch.zeros(1, 1, 2000, requires_grad=True)
    loss = MultiScaleSpectral(16_000, SIZES)(0.1 * noise(1, 1, 2000), made)
    loss.backward()
    assert math.isfinite(loss.item())
    assert bool(torch.isfinite(made.grad).all())


def test_signals_of_other_shapes_and_bad_scales_are_refused() -> None:
    with pytest.raises(ModelError, match="shapes"):
        l1(torch.zeros(1, 1, 10), torch.zeros(1, 1, 11))
    with pytest.raises(ModelError, match="B, 1, T"):
        MultiScaleSpectral(16_000, SIZES)(torch.zeros(1, 1, 2000), torch.zeros(1, 1, 2001))
    with pytest.raises(ModelError, match="one number of bands"):
        MultiScaleSpectral(16_000, SIZES, (8, 8))
