"""Mel filters: triangles that are equally wide on the mel scale of O'Shaughnessy (2595 log10(1 + f / 700))."""

from __future__ import annotations

import torch
from torch import Tensor

from reference_models.errors import ModelError


def mel_filters(sample_rate: int, size: int, bands: int) -> Tensor:
    """Weights [size // 2 + 1, bands] from spectrum bins to mel bands over 0 to sample_rate / 2, peak 1; on the CPU.

    Raises ModelError if a band would be narrower than a bin and so catch none.
    """
    bins = torch.linspace(0.0, sample_rate / 2, size // 2 + 1, dtype=torch.float64, device="cpu")
    top = 2595.0 * torch.log10(torch.tensor(1.0 + sample_rate / 1400.0, dtype=torch.float64, device="cpu"))
    edges = 700.0 * (
        10.0 ** (torch.linspace(0.0, 1.0, bands + 2, dtype=torch.float64, device="cpu") * top / 2595.0) - 1.0
    )
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    weights = torch.minimum(rising, falling).clamp(min=0.0)
    if bool((weights.sum(dim=0) == 0.0).any()):
        raise ModelError(
            f"{bands} mel bands on {size // 2 + 1} bins leave empty bands: give fewer bands or larger windows"
        )
    return weights.float()
