from __future__ import annotations

import math

import pytest
import torch
from codec_builders import codec, noise
from torch.distributions import Normal, kl_divergence

from reference_models.codecs.bottleneck import GaussianBottleneck, Posterior
from reference_models.errors import ModelError


def test_kl_closed_forms() -> None:
    zero = torch.zeros(2, 3, 4)
    assert Posterior(zero, zero).kl().item() == 0.0
    # mean m: m^2 / 2 for each dimension; variance v: (v - 1 - ln v) / 2.
    assert Posterior(zero + 0.5, zero).kl().item() == pytest.approx(4 * 0.125)
    assert Posterior(zero, zero + math.log(4.0)).kl().item() == pytest.approx(4 * 0.5 * (3.0 - math.log(4.0)))


def test_kl_equals_torch_distributions() -> None:
    mean, log_variance = noise(2, 5, 8), noise(2, 5, 8, seed=3)
    expected = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(dim=-1).mean()
    torch.testing.assert_close(Posterior(mean, log_variance).kl(), expected)


def test_samples_have_the_posterior_mean_and_variance() -> None:
    mean, log_variance = torch.tensor([1.0, -2.0]), torch.tensor([0.0, math.log(0.25)])
    drawn = Posterior(mean.expand(1, 40_000, 2), log_variance.expand(1, 40_000, 2)).sample(
        torch.Generator().manual_seed(0)
    )
    torch.testing.assert_close(drawn.mean(dim=(0, 1)), mean, atol=0.02, rtol=0)
    torch.testing.assert_close(drawn.var(dim=(0, 1)), log_variance.exp(), atol=0.02, rtol=0)


def test_the_draw_belongs_to_the_generator_and_carries_gradients() -> None:
    mean = noise(1, 4, 3).requires_grad_()
    log_variance = torch.full((1, 4, 3), math.log(4.0), requires_grad=True)
    posterior = Posterior(mean, log_variance)
    drawn = posterior.sample(torch.Generator().manual_seed(5))
    torch.testing.assert_close(drawn, posterior.sample(torch.Generator().manual_seed(5)), rtol=0, atol=0)
    drawn.sum().backward()
    torch.testing.assert_close(mean.grad, torch.ones(1, 4, 3))
    # d sample / d log variance = half the deviation from the mean.
    torch.testing.assert_close(log_variance.grad, 0.5 * (drawn - mean).detach())


@pytest.mark.parametrize("variance", ["projection", "free"])
def test_untrained_samples_are_close_to_their_mean(variance: str) -> None:
    torch.manual_seed(0)
    posterior = GaussianBottleneck(64, 8, variance)(noise(50, 20, 64))  # type: ignore[arg-type]
    # The mean of the log-variance starts at -4: a standard deviation of e^-2.
    assert posterior.log_variance.mean().item() == pytest.approx(-4.0, abs=0.1)


@pytest.mark.parametrize(("variance", "extra"), [("projection", 16 * 4 + 4), ("free", 4)])
def test_variance_is_projected_or_one_number_per_dimension(variance: str, extra: int) -> None:
    bottleneck = GaussianBottleneck(16, 4, variance)  # type: ignore[arg-type]
    assert sum(weight.numel() for weight in bottleneck.parameters()) == 16 * 4 + extra
    posterior = bottleneck(noise(2, 5, 16))
    assert posterior.mean.shape == posterior.log_variance.shape == (2, 5, 4)
    assert (float(posterior.log_variance.detach().std()) > 0.0) == (variance == "projection")
    posterior.kl().backward()
    assert all(weight.grad is not None for weight in bottleneck.parameters())


def test_inference_takes_the_mean_and_training_a_draw() -> None:
    model = codec("spectral")
    audio = 0.3 * noise(1, 1, 3200)
    made = model(audio, torch.Generator().manual_seed(0))
    torch.testing.assert_close(model.encode(audio), made.posterior.mean.detach())
    torch.testing.assert_close(made.latents, made.posterior.sample(torch.Generator().manual_seed(0)))
    torch.testing.assert_close(made.audio.detach(), model.decode(made.latents.detach()))


def test_another_variance_is_refused() -> None:
    with pytest.raises(ModelError, match="fixed"):
        GaussianBottleneck(4, 2, "fixed")  # type: ignore[arg-type]
