"""The exact flows between N(0, 1) and N(mean, std^2), each number by itself, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


def as_tensor(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)


@dataclass(frozen=True)
class Gaussian:
    mean: float
    std: float

    def trig_velocity(self, x: Tensor, t: Any) -> Tensor:
        """E[dx_t/dt | x_t] for x_t = cos(t) data + sin(t) noise."""
        c, s = torch.cos(as_tensor(t)), torch.sin(as_tensor(t))
        away = (x - c * self.mean) / (c**2 * self.std**2 + s**2)
        return c * s * away - s * (self.mean + c * self.std**2 * away)

    def trig_end(self, x: Tensor, t: Any) -> Tensor:
        """The data that the flow through x at t ends in: quantiles stay what they are."""
        c, s = torch.cos(as_tensor(t)), torch.sin(as_tensor(t))
        return self.mean + self.std * (x - c * self.mean) / torch.sqrt(c**2 * self.std**2 + s**2)

    def consistency(self, x: Tensor, t: Any) -> Tensor:
        """F with cos(t) x - sin(t) F = the end of the flow."""
        t = as_tensor(t)
        return (torch.cos(t) * x - self.trig_end(x, t)) / torch.sin(t)

    def straight_variance(self, t: Tensor) -> Tensor:
        return t**2 * self.std**2 + (1 - t) ** 2

    def straight_velocity(self, x: Tensor, t: Any) -> Tensor:
        """E[data - noise | x_t] for x_t = t data + (1 - t) noise."""
        t = as_tensor(t)
        return self.mean + (t * self.std**2 - (1 - t)) / self.straight_variance(t) * (x - t * self.mean)

    def straight_map(self, s: Any, t: Any, x: Tensor) -> Tensor:
        s, t = as_tensor(s), as_tensor(t)
        ratio = torch.sqrt(self.straight_variance(t) / self.straight_variance(s))
        return t * self.mean + ratio * (x - s * self.mean)

    def mean_velocity(self, s: Any, t: Any, x: Tensor) -> Tensor:
        """(map - x) / (t - s), and its limit for t = s."""
        s, t = as_tensor(s), as_tensor(t)
        same = s == t
        gap = torch.where(same, torch.ones_like(t - s), t - s)
        return torch.where(same, self.straight_velocity(x, t), (self.straight_map(s, t, x) - x) / gap)


class ExactNetwork(nn.Module):
    """Stands in for a head's network: a closed form, plus a linear part that is zero until it is trained."""

    def __init__(self, form: Any) -> None:
        super().__init__()
        self.form = form
        self.slope = nn.Parameter(torch.zeros((), dtype=torch.float64))
        self.offset = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def prepare(self, z: Tensor) -> Tensor:
        return z

    def forward(self, x: Tensor, times: Any, prepared: Tensor) -> Tensor:
        return self.form(x, *times) + self.slope * x + self.offset

    def at(self, x: Tensor, times: Any, prepared: Tensor) -> Tensor:
        return self.form(x, *times)


HALF_PI = math.pi / 2
