"""What the continuous heads share: the checks, the guidance of Z and the Gaussian temperature."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from reference_models.errors import ModelError
from reference_models.heads.mlp import AdaptiveMLP
from reference_models.heads.protocol import Sampling, guided
from reference_models.noise import Noise

Draw = Callable[[], Tensor]


class ContinuousHead(nn.Module):
    """A head that turns Gaussian noise into one latent by runs of an `AdaptiveMLP`.

    `dimensions` of a latent, size of the `condition` Z, `width` and number of `blocks` of the network, and its number
    of `times`. The latents are normalised to unit variance, as the noise is.
    """

    def __init__(self, dimensions: int, condition: int, width: int, blocks: int, times: int) -> None:
        super().__init__()
        self.dimensions, self.condition = dimensions, condition
        self.network = AdaptiveMLP(dimensions, condition, width, blocks, times)

    def loss(self, z: Tensor, target: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Loss of each row, [N], for one draw of time and noise; `z` [N, condition], `target` [N, dimensions].

        `generator` is one of the CPU; without it the draws come from torch's own. Repeat the rows for more draws (the
        head batch multiplier). ModelError where the shapes do not fit.
        """
        self._check_condition(z)
        if tuple(target.shape) != (len(z), self.dimensions):
            raise ModelError(f"the head's target has shape {list(target.shape)}, not {[len(z), self.dimensions]}")
        return self._loss(self.network.prepare(z), target, generator)

    def sample(self, z: Tensor, sampling: Sampling, noise: Noise, null: Tensor | None = None) -> Tensor:
        """One latent for each row, [N, dimensions], from `z` [N, condition].

        Every Gaussian draw has the variance `sampling.temperature` (CALM). `null` [N, condition] is used where
        `sampling.cfg` is not 1. ModelError for fewer than 1 step, a temperature below 0, a missing `null` or shapes
        that do not fit.
        """
        steps = self.evaluations(sampling)
        self._check_condition(z)
        if len(noise) != len(z):
            raise ModelError(f"{len(z)} rows of Z but noise for {len(noise)}")
        if not (sampling.temperature >= 0 and math.isfinite(sampling.temperature)):
            raise ModelError(f"a temperature is 0 or more, not {sampling.temperature}")
        if sampling.cfg == 1:
            null = None
        elif null is None or null.shape != z.shape:
            raise ModelError(f"guidance with weight {sampling.cfg} needs the unconditional Z, shape {list(z.shape)}")
        scale = math.sqrt(sampling.temperature)
        with torch.no_grad():
            prepared = self.network.prepare(guided(z, null, sampling.cfg))
            return self._sample(prepared, lambda: noise.normal(self.dimensions).to(z) * scale, steps)

    def evaluations(self, sampling: Sampling) -> int:
        """Runs of the network for one frame: `sampling.steps`; ModelError below 1."""
        if sampling.steps < 1:
            raise ModelError(f"a continuous head takes 1 step or more, not {sampling.steps}")
        return sampling.steps

    def _loss(self, prepared: Tensor, target: Tensor, generator: torch.Generator | None) -> Tensor:
        raise NotImplementedError

    def _sample(self, prepared: Tensor, draw: Draw, steps: int) -> Tensor:
        raise NotImplementedError

    def _check_condition(self, z: Tensor) -> None:
        if z.dim() != 2 or z.shape[1] != self.condition:
            raise ModelError(f"the head's condition has shape {list(z.shape)}, not [N, {self.condition}]")


def normal_like(target: Tensor, generator: torch.Generator | None) -> Tensor:
    """Standard normal numbers in the shape of `target`, drawn on the CPU, then moved to its device and type."""
    return torch.randn(target.shape, generator=generator).to(target)


def normal_times(target: Tensor, generator: torch.Generator | None, mean: float, std: float) -> Tensor:
    """One number of N(mean, std^2) for each row of `target`, [N, 1]: the logarithm of a ratio of signal and noise."""
    return (torch.randn(len(target), 1, generator=generator) * std + mean).to(target)
