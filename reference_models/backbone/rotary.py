"""Rotary positions (Su et al. 2021, RoFormer): pairs of channels turn by an angle that grows with the position."""

from __future__ import annotations

import torch
from torch import Tensor


def rotations(start: int, count: int, dim: int, base: float, device: torch.device | str = "cpu") -> Tensor:
    """Unit complex numbers e^(i * position * base^(-2j/dim)), shape [count, dim / 2], for positions from `start`.

    Angles are computed in float64, so that position 100,000 is as exact as position 1.
    """
    cpu = torch.device("cpu") if torch.device(device).type != "meta" else torch.device("meta")
    exponents = torch.arange(0, dim, 2, dtype=torch.float64, device=cpu) / dim
    positions = torch.arange(start, start + count, dtype=torch.float64, device=cpu)
    angles = positions[:, None] * base**-exponents
    return torch.polar(torch.ones_like(angles), angles).to(torch.complex64).to(device)


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """Turn `x` [batch, positions, ..., heads, dim] by `turns` [positions, dim / 2]; channels 2j, 2j+1 are a pair."""
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
    shape = (turns.shape[0], *([1] * (x.dim() - 3)), turns.shape[1])
    return torch.view_as_real(pairs * turns.view(shape)).flatten(-2).to(x.dtype)
