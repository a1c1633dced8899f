"""Rectified flow: flow matching on the straight line from noise to data, and Euler steps."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from reference_models.heads.continuous import ContinuousHead, Draw, normal_like, normal_times

Velocity = Callable[[Tensor, float], Tensor]


class RectifiedFlowHead(ContinuousHead):
    """x_t = t x + (1 - t) noise, t from 0 (noise) to 1 (data); the network learns E[x - noise | x_t].

    Liu et al., "Flow Straight and Fast". Training draws t = sigmoid(n), n of N(`mean`, `std`^2) (logit-normal, Esser
    et al., "Scaling Rectified Flow Transformers").
    """

    def __init__(
        self, dimensions: int, condition: int, width: int, blocks: int, mean: float = 0.0, std: float = 1.0
    ) -> None:
        super().__init__(dimensions, condition, width, blocks, times=1)
        self.mean, self.std = mean, std

    def _loss(self, prepared: Tensor, target: Tensor, generator: torch.Generator | None) -> Tensor:
        t = torch.sigmoid(normal_times(target, generator, self.mean, self.std))
        x, slope = straight_path(target, normal_like(target, generator), t)
        return (self.network(x, (t,), prepared) - slope).square().mean(dim=-1)

    def _sample(self, prepared: Tensor, draw: Draw, steps: int) -> Tensor:
        return euler(lambda x, t: self.network.at(x, (t,), prepared), draw(), steps)


def straight_path(data: Tensor, noise: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """The point x_t and its derivative dx_t/dt, both [N, dimensions]; `t` [N, 1] in [0, 1]."""
    return t * data + (1 - t) * noise, data - noise


def euler(velocity: Velocity, x: Tensor, steps: int) -> Tensor:
    """Follows dx/dt = velocity(x, t) from 0 to 1 in `steps` equal Euler steps: [N, dimensions]."""
    for step in range(steps):
        x = x + velocity(x, step / steps) / steps
    return x
