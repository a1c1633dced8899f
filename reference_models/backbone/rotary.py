"""Rotary positions (Su et al. 2021, RoFormer): pairs of channels turn by an angle that grows with the position."""

from __future__ import annotations

import torch
from torch import Tensor


def rotations(start: int, count: int, dim: int, base: float, device: torch.device | str = "cpu") -> Tensor:
    """Unit complex numbers for query, key and value at `count` positions from `start`, [count, 3, 1, dim / 2].

    Query and key turn by position * base^(-2j/dim); the value does not turn. Angles are computed in float64, so that
    position 100,000 is as exact as position 1.
    """
    place = torch.device("meta" if torch.device(device).type == "meta" else "cpu")
    exponents = torch.arange(0, dim, 2, dtype=torch.float64, device=place) / dim
    positions = torch.arange(start, start + count, dtype=torch.float64, device=place)
    angles = positions[:, None] * base**-exponents
    angles = torch.stack([angles, angles, torch.zeros_like(angles)], dim=1)[:, :, None]
    return torch.polar(torch.ones_like(angles), angles).to(torch.complex64).to(device)


def rotate(qkv: Tensor, turns: Tensor) -> Tensor:
    """Turn queries, keys and values [batch, positions, 3, heads, dim] by `turns`; channels 2j and 2j + 1 are a pair.

    One product serves all three, because at batch 1 the number of operations is what a step costs.
    """
    wide = qkv if qkv.dtype == torch.float32 else qkv.float()
    turned = torch.view_as_real(torch.view_as_complex(wide.unflatten(-1, (-1, 2))) * turns).flatten(-2)
    return turned if qkv.dtype == torch.float32 else turned.to(qkv.dtype)
