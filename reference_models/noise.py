"""Random draws that belong to a sample: one stream for each (item, seed), whatever batch it is in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


class Noise:
    """One independent generator for each row of a batch.

    Draws are made on the CPU in float32 and moved, so that a row's noise depends neither on its neighbours nor on
    the device.
    """

    def __init__(self, samples: Sequence[tuple[str, int]], device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self._rows = [torch.Generator().manual_seed(stream_seed(item, seed)) for item, seed in samples]

    def __len__(self) -> int:
        return len(self._rows)

    def normal(self, size: int) -> Tensor:
        """Standard normal numbers, shape [rows, size]."""
        return self._draw(torch.randn, size)

    def uniform(self, size: int) -> Tensor:
        """Uniform numbers in [0, 1), shape [rows, size]."""
        return self._draw(torch.rand, size)

    def _draw(self, draw: object, size: int) -> Tensor:
        assert callable(draw)
        if len(self._rows) == 1:
            rows: Tensor = draw(1, size, generator=self._rows[0])
        else:
            rows = torch.cat([draw(1, size, generator=row) for row in self._rows])
        return rows if self.device.type == "cpu" else rows.to(self.device)


def stream_seed(item: str, seed: int) -> int:
    """A 63-bit seed from an item's id and a sample's seed; a hash, so that near names give unrelated streams."""
    text = f"{seed}\x00{item}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1
