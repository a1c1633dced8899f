"""The Gaussian bottleneck of the audio VAE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from reference_models.errors import ModelError

Variance = Literal["projection", "free"]

_FIRST_LOG_VARIANCE = -4.0
"""Before training. A sample starts close to its mean: from unit variance the decoder first learns to ignore latents
that are all noise, and the KL term then keeps it so."""


@dataclass(frozen=True)
class Posterior:
    """A Gaussian with a diagonal covariance for each frame; both tensors [B, S, latents]."""

    mean: Tensor
    log_variance: Tensor

    def kl(self) -> Tensor:
        """Divergence to N(0, I) in nats per frame: the sum over dimensions, the mean over frames; a scalar.

        Kingma and Welling, "Auto-Encoding Variational Bayes", appendix B.
        """
        terms = self.mean.square() + self.log_variance.exp() - 1.0 - self.log_variance
        return 0.5 * terms.sum(dim=-1).mean()

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """A draw with gradients to mean and variance; `generator` is on the CPU."""
        noise = torch.randn(self.mean.shape, generator=generator).to(self.mean)
        return self.mean + torch.exp(0.5 * self.log_variance) * noise


class GaussianBottleneck(nn.Module):
    """Features [B, S, features] -> a Gaussian over latents [B, S, latents].

    `variance` "projection" makes the log-variance from the features; "free" is one learned number per dimension
    (Pocket TTS has had both). Log-variances stay in [-20, 10], so that their exponential and its gradient are finite.
    """

    def __init__(self, features: int, latents: int, variance: Variance = "projection") -> None:
        super().__init__()
        if variance not in ("projection", "free"):
            raise ModelError(f"variance {variance!r}: give 'projection' or 'free'")
        self.latents = latents
        self.mean = nn.Linear(features, latents, bias=False)
        self.spread = nn.Linear(features, latents, bias=False) if variance == "projection" else None
        self.offset = nn.Parameter(torch.full((latents,), _FIRST_LOG_VARIANCE))

    def forward(self, features: Tensor) -> Posterior:
        """The posterior of each frame."""
        mean = self.mean(features)
        raw = self.offset.expand_as(mean) if self.spread is None else self.spread(features) + self.offset
        return Posterior(mean, raw.clamp(-20.0, 10.0))
