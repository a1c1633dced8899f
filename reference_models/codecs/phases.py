"""Phases for magnitudes that have none: every spectral peak goes on as the sinusoid that it looks like.

Beauregard, Harish and Wyse, "Single pass spectrogram inversion" (2015): causal, one pass, nothing learned. A network
that works alike on every frame cannot make them, for the phase of a steady tone differs from frame to frame where
nothing else does.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def peak_phases(levels: Tensor, before: Tensor, turn: float) -> Tensor:
    """Phases at the middle of each window, [B, L, bins], for log magnitudes `levels` [B, L, bins].

    `before` [B, bins] are the phases of the frame before the first; `turn` is the phase by which bin 1 advances from
    frame to frame, 2 pi hop / size. A peak's frequency is that of the parabola through it and its neighbours; its phase
    is the last one at its bin plus the advance, and the bins nearest to it share it. No gradient flows through phases.
    """
    with torch.no_grad():
        owner, advance = _peaks(levels, turn)
        phases = []
        for frame in range(levels.shape[1]):
            before = torch.remainder(before.gather(1, owner[:, frame]) + advance[:, frame], 2 * math.pi)
            phases.append(before)
        return torch.stack(phases, dim=1)


def _peaks(levels: Tensor, turn: float) -> tuple[Tensor, Tensor]:
    """The bin of the peak that each bin belongs to, and by how much that peak's phase advances; both [B, L, bins].

    A bin without any peak in its frame belongs to itself.
    """
    bins = levels.shape[-1]
    place = torch.arange(bins, device=levels.device).expand(levels.shape)
    inner = levels[..., 1:-1]
    low, high = levels[..., :-2], levels[..., 2:]
    peak = torch.nn.functional.pad((inner > low) & (inner >= high), (1, 1))
    bend = low - 2 * inner + high
    offset = torch.where(bend < 0, 0.5 * (low - high) / bend.clamp(max=-1e-9), 0.0).clamp(-0.5, 0.5)
    offset = torch.nn.functional.pad(offset, (1, 1))
    left = torch.where(peak, place, -bins).cummax(dim=-1).values
    right = torch.where(peak, place, 2 * bins).flip(-1).cummin(dim=-1).values.flip(-1)
    nearest = torch.where(place - left <= right - place, left, right)
    owner = torch.where((nearest >= 0) & (nearest < bins), nearest, place)
    frequency = owner + torch.where(peak, offset, 0.0).gather(-1, owner)
    return owner, turn * frequency
