"""The consistency head: continuous-time consistency training in TrigFlow, and 1 to N steps."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from reference_models.errors import ModelError
from reference_models.heads.continuous import ContinuousHead, Draw, normal_like, normal_times
from reference_models.heads.trigflow import Velocity, trig_path
from reference_models.heads.weighting import LearnedWeight

MovingVelocity = Callable[[Tensor, Tensor], Tensor]


class ConsistencyHead(ContinuousHead):
    """f(x_t, t) = cos(t) x_t - sin(t) F(x_t, t) gives the data that the flow through x_t ends in.

    Consistency training without a teacher: Lu and Song, "Simplifying, Stabilizing and Scaling Continuous-Time
    Consistency Models" (sCM), as in CALM, equation 3; the target network is the network itself without gradients.
    Training draws t = arctan(e^n), n of N(`mean`, `std`^2). Over the first `warmup` calls of `loss` in training mode
    the part of the tangent with dF/dt grows from 0 to 1; the calls are counted in the buffer `calls`. With `normalise`
    the tangent g becomes g / (|g| + 0.1). Without `weighted` every time weighs the same.

    Two warnings from the toys in the plane. The mean of normalised tangents is not the tangent of the mean: in few
    dimensions that moves the solution. And a learned weight on plain tangents grows with t, which lets errors grow.
    """

    calls: Tensor

    def __init__(
        self,
        dimensions: int,
        condition: int,
        width: int,
        blocks: int,
        mean: float = 0.0,
        std: float = 1.4,
        warmup: int = 10_000,
        normalise: bool = True,
        weighted: bool = True,
    ) -> None:
        super().__init__(dimensions, condition, width, blocks, times=1)
        if warmup < 0:
            raise ModelError(f"a warm-up takes 0 calls or more, not {warmup}")
        self.mean, self.std, self.warmup, self.normalise = mean, std, warmup, normalise
        self.weight = LearnedWeight(times=1) if weighted else None
        self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

    def _loss(self, prepared: Tensor, target: Tensor, generator: torch.Generator | None) -> Tensor:
        t = torch.atan(torch.exp(normal_times(target, generator, self.mean, self.std)))
        x, slope = trig_path(target, normal_like(target, generator), t)
        warm = torch.clamp(self.calls / self.warmup, max=1.0) if self.warmup else torch.ones_like(self.calls)
        if self.training:
            self.calls += 1
        with torch.no_grad():
            still, g = tangent(lambda x, t: self.network(x, (t,), prepared), x, t, slope, warm.to(x))
        if self.normalise:
            g = g / (torch.linalg.vector_norm(g, dim=-1, keepdim=True) + 0.1)
        error = (self.network(x, (t,), prepared) - still - g).square().mean(dim=-1)
        return error if self.weight is None else self.weight(error, t)

    def _sample(self, prepared: Tensor, draw: Draw, steps: int) -> Tensor:
        return denoise_in_steps(lambda x, t: self.network.at(x, (t,), prepared), draw, renoise_times(steps))


def tangent(
    velocity: MovingVelocity, x: Tensor, t: Tensor, slope: Tensor, warm: Tensor | float = 1.0
) -> tuple[Tensor, Tensor]:
    """F and cos(t) df/dt along dx/dt = `slope`, both [N, dimensions]; `t` [N, 1].

    The forward-mode derivative is taken with tangents times cos(t) sin(t), which keeps it small at both ends (sCM).
    `warm`, 0 to 1, weighs the terms that make training unstable at its start.
    """
    cosine, sine = torch.cos(t), torch.sin(t)
    both = cosine * sine
    value, change = torch.func.jvp(velocity, (x, t), (both * slope, both))
    return value, cosine.square() * (slope - value) - warm * (both * x + change)


def renoise_times(steps: int) -> tuple[float, ...]:
    """`steps` equally spaced angles from pi/2 (pure noise) down, without 0."""
    return tuple(math.pi / 2 * (steps - step) / steps for step in range(steps))


def denoise_in_steps(velocity: Velocity, draw: Draw, times: tuple[float, ...]) -> Tensor:
    """Denoises fully from each of `times`, with fresh noise in between: [N, dimensions].

    The first time is taken to be pi/2. `draw` gives the noise, temperature included.
    """
    x = draw()
    data = math.cos(times[0]) * x - math.sin(times[0]) * velocity(x, times[0])
    for t in times[1:]:
        x = math.cos(t) * data + math.sin(t) * draw()
        data = math.cos(t) * x - math.sin(t) * velocity(x, t)
    return data
