"""The bandwidth of a Gaussian kernel: the median distance between the frames of the reference, over all pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from calm_eval.metrics.clip_frames import ClipFrames, squared_distances

BLOCK = 1024
_BINS = 1 << 16
_FEW = 2_000_000
"""So many distances are sorted in memory (16 MB); more are first narrowed down by histograms."""

_TIE = 1e-9
"""Squared distances nearer together than this, relatively, are not told apart when there are too many to sort."""

_ROUNDING = 1e-14
"""A squared distance below this share of the two squared norms is that of two equal frames."""


def median_distance(frames: ClipFrames, *, block: int = BLOCK) -> float:
    """Median Euclidean distance over all pairs of different frames, in float64; memory does not grow with the set.

    Of an even number of pairs the lower of the two middle ones counts, as with `torch.median` in kadtk (kadtk/kad.py,
    `median_pairwise_distance`). Raises ValueError with fewer than two frames, and when the median is 0: then at least
    half of the pairs are duplicates and there is no bandwidth.
    """
    count = len(frames)
    if count < 2:
        raise ValueError(f"a median distance needs at least two frames, got {count}")
    rank = (count * (count - 1) // 2 - 1) // 2
    largest = _bound(frames, block)
    low, high, inside = 0.0, largest, count * (count - 1) // 2
    while inside > _FEW and high - low > _TIE * high and high > _ROUNDING * _TIE * largest:
        edges = np.linspace(low, high, _BINS + 1)
        counts = np.zeros(_BINS, dtype=np.int64)
        below = 0
        for found in _blocks(frames, block):
            below += int(np.count_nonzero(found < low))
            counts += np.histogram(found[(found >= low) & (found < high)], bins=_BINS, range=(low, high))[0]
        place = int(np.searchsorted(np.cumsum(counts), rank - below, side="right"))
        low, high, inside = float(edges[place]), float(edges[place + 1]), int(counts[place])
    squared = low if inside > _FEW else _select(frames, block, rank, low, high)
    if squared <= 0:
        raise ValueError("the median distance of the reference is 0: most of its frames are the same, give a bandwidth")
    return math.sqrt(squared)


def _select(frames: ClipFrames, block: int, rank: int, low: float, high: float) -> float:
    """The squared distance at `rank` of all, known to lie in [low, high)."""
    below = 0
    kept: list[NDArray[np.float64]] = []
    for found in _blocks(frames, block):
        below += int(np.count_nonzero(found < low))
        kept.append(found[(found >= low) & (found < high)])
    values = np.concatenate(kept)
    return float(np.partition(values, rank - below)[rank - below])


def _blocks(frames: ClipFrames, block: int) -> Iterator[NDArray[np.float64]]:
    """Squared distances of every pair once, a flat array at a time, always in the same order."""
    for start, stop in frames.spans(block):
        first = frames.rows(start, stop) - frames.mean
        yield _rounded(first, first)[np.triu_indices(len(first), 1)]
        for other, end in frames.spans(block):
            if other > start:
                yield _rounded(first, frames.rows(other, end) - frames.mean).ravel()


def _rounded(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances, exactly 0 between equal frames."""
    found = squared_distances(first, second)
    norms = np.square(first).sum(axis=1)[:, None] + np.square(second).sum(axis=1)[None, :]
    found[found < _ROUNDING * norms] = 0.0
    return found


def _bound(frames: ClipFrames, block: int) -> float:
    """Above every squared distance: twice the largest norm, squared, and a little for rounding."""
    largest = max(
        float(np.square(frames.rows(start, stop) - frames.mean).sum(axis=1).max())
        for start, stop in frames.spans(block)
    )
    return math.nextafter(4.0 * largest * (1 + 1e-9), math.inf)
