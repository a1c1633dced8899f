"""TrigFlow diffusion: flow matching on the quarter circle, and an ODE sampler of N steps."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from reference_models.heads.continuous import ContinuousHead, Draw, normal_like, normal_times

Velocity = Callable[[Tensor, float], Tensor]


class TrigFlowHead(ContinuousHead):
    """x_t = cos(t) x + sin(t) noise, t from 0 (data) to pi/2 (noise); the network learns F = E[dx_t/dt | x_t].

    TrigFlow is of Lu and Song, "Simplifying, Stabilizing and Scaling Continuous-Time Consistency Models", with data
    of unit variance. Training draws t = arctan(e^n), n of N(`mean`, `std`^2).
    """

    def __init__(
        self, dimensions: int, condition: int, width: int, blocks: int, mean: float = 0.0, std: float = 1.4
    ) -> None:
        super().__init__(dimensions, condition, width, blocks, times=1)
        self.mean, self.std = mean, std

    def _loss(self, prepared: Tensor, target: Tensor, generator: torch.Generator | None) -> Tensor:
        t = torch.atan(torch.exp(normal_times(target, generator, self.mean, self.std)))
        x, slope = trig_path(target, normal_like(target, generator), t)
        return (self.network(x, (t,), prepared) - slope).square().mean(dim=-1)

    def _sample(self, prepared: Tensor, draw: Draw, steps: int) -> Tensor:
        return integrate(lambda x, t: self.network.at(x, (t,), prepared), draw(), steps)


def trig_path(data: Tensor, noise: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """The point x_t and its derivative dx_t/dt, both [N, dimensions]; `t` [N, 1] in [0, pi/2]."""
    cosine, sine = torch.cos(t), torch.sin(t)
    return cosine * data + sine * noise, cosine * noise - sine * data


def integrate(velocity: Velocity, x: Tensor, steps: int) -> Tensor:
    """Follows dx/dt = F(x, t) from pi/2 to 0 in `steps` equal angles: [N, dimensions].

    Each step is exact where the data that F implies, cos(t) x - sin(t) F, stays the same: a rotation of (x, F). Its
    error falls with the first power of the step.
    """
    angle = math.pi / 2 / steps
    for step in range(steps, 0, -1):
        x = math.cos(angle) * x - math.sin(angle) * velocity(x, step * angle)
    return x
