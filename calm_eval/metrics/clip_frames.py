"""The embeddings of a set of clips as one tall matrix that is read in blocks, so that files on disk may stay there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

KEPT_VALUES = 1 << 23
"""Sets of at most so many values (32 MB as float32) are held in memory: walks over pairs read each clip many times."""


class ClipFrames:
    """Clips by id, each with float frames [F, d], F >= 1; those of a large set are read when asked for and not kept.

    The clips are ordered by the sha256 of their ids: the order in which they were given never matters, and dealing them
    out in turn gives balanced groups that say nothing of the ids. Raises ValueError, naming the clip, for no clips, a
    clip without frames or an array that is not [F, d] with one d for all.
    """

    def __init__(self, clips: Mapping[str, NDArray[np.floating]]) -> None:
        if not clips:
            raise ValueError("a set of clips must hold at least one")
        self.ids = tuple(sorted(clips, key=lambda name: hashlib.sha256(name.encode()).digest()))
        first = clips[self.ids[0]]
        dims = first.shape[-1] if first.ndim else 0
        lengths = []
        total = 0
        kept: dict[str, NDArray[np.floating]] = {}
        for name in self.ids:
            array = clips[name]
            if array.ndim != 2 or len(array) == 0 or array.shape[1] != dims:
                raise ValueError(f"clip {name!r}: frames [F, {dims}] with F at least 1 are wanted, got {array.shape}")
            lengths.append(len(array))
            total += len(array)
            if total * dims <= KEPT_VALUES:
                kept[name] = np.array(array)
            else:
                kept.clear()
        self._clips = kept or clips
        self.dims = int(dims)
        self.lengths = np.array(lengths, dtype=np.int64)
        """Frames of each clip, shape [clips]."""
        self._ends = np.cumsum(self.lengths)

    def __len__(self) -> int:
        """Number of frames of all clips."""
        return int(self._ends[-1])

    def rows(self, start: int, stop: int) -> NDArray[np.float64]:
        """Frames `start` to `stop`, float64 [n, d]. Raises ValueError, naming the clip, on NaN or infinity."""
        first = int(np.searchsorted(self._ends, start, side="right"))
        parts: list[NDArray[np.float64]] = []
        while start < stop:
            begin = int(self._ends[first] - self.lengths[first])
            end = min(stop, int(self._ends[first]))
            part = np.asarray(self._clips[self.ids[first]][start - begin : end - begin], dtype=np.float64)
            if not np.isfinite(part).all():
                raise ValueError(f"clip {self.ids[first]!r}: its embedding holds NaN or infinity")
            parts.append(part)
            start, first = end, first + 1
        return np.concatenate(parts)

    def clip_of(self, start: int, stop: int) -> NDArray[np.int64]:
        """The number of the clip (its place in `ids`) of frames `start` to `stop`, shape [stop - start]."""
        return np.searchsorted(self._ends, np.arange(start, stop), side="right").astype(np.int64)

    def spans(self, block: int) -> Iterator[tuple[int, int]]:
        """Start and stop of consecutive blocks of at most `block` frames."""
        for start in range(0, len(self), block):
            yield start, min(start + block, len(self))

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """Mean frame [d] in float64."""
        total = np.zeros(self.dims)
        for start, stop in self.spans(4096):
            total += self.rows(start, stop).sum(axis=0)
        return total / len(self)


def squared_distances(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared Euclidean distances [n, m] of the rows of two float64 matrices, never negative.

    By |x|^2 + |y|^2 - 2xy, which loses digits when the rows are far from 0: centre them first.
    """
    product = first @ second.T
    product *= -2.0
    product += np.einsum("ij,ij->i", first, first)[:, None]
    product += np.einsum("ij,ij->i", second, second)[None, :]
    return np.maximum(product, 0.0, out=product)
