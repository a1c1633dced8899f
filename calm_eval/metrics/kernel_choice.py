"""Kernel distances of sets chosen item by item from two rows, to one reference set: quadratic forms in the choice.

Kernel sums are taken once, for every pair of an item of either row with another and with the clips of the reference
set; the value of a choice is then made of sums of entries. Pairs and bandwidth are those of `kernel_distance.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calm_eval.metrics.clip_frames import ClipFrames, squared_distances
from calm_eval.metrics.kernel_bandwidth import median_distance
from calm_eval.metrics.kernel_distance import SCALE
from calm_eval.metrics.kernel_sums import pair_sums
from calm_eval.metrics.set_choice import Clips, common_items, stacked

Array = NDArray[np.float64]


class KernelChoice:
    """A `SetChoice`. Raises ValueError for rows of different items and as `kernel_sums`."""

    items: Sequence[str]

    def __init__(self, first: Clips, second: Clips, references: Clips) -> None:
        self.items = common_items(first, second)
        reference = ClipFrames(references)
        width = median_distance(reference)
        own = pair_sums(reference, reference, width, len(reference.ids), 1024)
        kept = np.ones(len(reference.ids), dtype=np.bool_)
        self._reference = own.mean(kept, kept, "clips")
        parts = [stacked(clips, self.items) for clips in (first, second)]
        frames, count = np.concatenate([part[0] for part in parts]), len(self.items)
        # Items of the second row follow those of the first.
        of = np.concatenate([parts[0][1], parts[1][1] + count])
        lengths = np.bincount(of, minlength=2 * count).astype(np.float64)
        there, clip = stacked(references, reference.ids)
        centre = reference.mean
        self._within = _sums(frames - centre, frames - centre, of, of, width)
        across = _sums(frames - centre, there - centre, of, clip, width)
        shared = np.array(self.items * 2)[:, None] == np.array(reference.ids)[None, :]
        heard = np.bincount(clip, minlength=len(reference.ids)).astype(np.float64)
        self._across = np.where(shared, 0.0, across).sum(axis=1)
        self._across_count = lengths * (np.where(shared, 0.0, heard[None, :]).sum(axis=1))
        same = np.tile(np.arange(count), 2)
        other = same[:, None] != same[None, :]
        self._within = np.where(other, self._within, 0.0)
        self._within_count = np.where(other, np.outer(lengths, lengths), 0.0)

    def __call__(self, from_second: NDArray[np.bool_], kept: NDArray[np.bool_] | None = None) -> Array:
        """As the protocol says; NaN with fewer than two items."""
        there = np.ones(len(self.items), dtype=np.bool_) if kept is None else kept
        chosen = np.concatenate([~from_second & there, from_second & there], axis=1).astype(np.float64)
        pairs = (chosen @ self._within_count * chosen).sum(axis=1)
        crossed = chosen @ self._across_count
        values = np.full(len(chosen), np.nan)
        fine = (pairs > 0) & (crossed > 0)
        within = (chosen @ self._within * chosen).sum(axis=1)[fine] / pairs[fine]
        values[fine] = SCALE * (within + self._reference - 2 * (chosen @ self._across)[fine] / crossed[fine])
        return values


def _sums(first: Array, second: Array, of: NDArray[np.int64], by: NDArray[np.int64], width: float) -> Array:
    """Sums of the kernel over frames, by item of the first and of the second, which ascend; a block of rows a time."""
    starts = np.flatnonzero(np.diff(by, prepend=-1))
    found = np.zeros((int(of.max()) + 1, len(starts)))
    for start in range(0, len(first), 1024):
        rows = slice(start, start + 1024)
        kernel = np.exp(squared_distances(first[rows], second) * (-0.5 / width**2))
        np.add.at(found, of[rows], np.add.reduceat(kernel, starts, axis=1))
    return found
