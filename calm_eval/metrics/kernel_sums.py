"""Kernel sums over pairs of frames, by pairs of groups of clips: what a kernel distance and its jackknife rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from calm_eval.metrics.clip_frames import ClipFrames, squared_distances

Pairs = Literal["clips", "frames"]
"""Which pairs of frames are averaged. `frames`: all but a frame with itself, as kadtk does. `clips`: only frames whose
clips have different ids. Frames of one clip are alike, and so are a generated clip and the reference of the same item;
only pairs of different clips leave the estimate unbiased then, and two identical sets are at 0 up to rounding. With one
frame a clip and no shared ids the two are the same."""


@dataclass(frozen=True)
class PairSums:
    """Sums of the kernel over ordered pairs of frames, by group of the first and group of the second: [G, H] each."""

    total: NDArray[np.float64]
    count: NDArray[np.int64]
    same_clip: NDArray[np.float64]
    same_clip_count: NDArray[np.int64]

    def mean(self, first: NDArray[np.bool_], second: NDArray[np.bool_], pairs: Pairs) -> float:
        """Mean kernel over the kept groups. Raises ValueError when no pair is left."""
        kept = np.ix_(first, second)
        total, count = float(self.total[kept].sum()), int(self.count[kept].sum())
        if pairs == "clips":
            total -= float(self.same_clip[kept].sum())
            count -= int(self.same_clip_count[kept].sum())
        if count < 1:
            raise ValueError("no pair of frames is left to average: a kernel distance needs two clips in each set")
        return total / count


def pair_sums(first: ClipFrames, second: ClipFrames, bandwidth: float, groups: int, block: int) -> PairSums:
    """Sums of exp(-d^2 / (2 bandwidth^2)) over a frame of `first` and one of `second`.

    The same object twice means a set with itself: no frame is paired with itself. Clips are dealt to at most `groups`
    groups in the order of `ClipFrames.ids`.
    """
    own = first is second
    group_of = _groups(first, groups), _groups(second, groups)
    width = int(group_of[0].max()) + 1, int(group_of[1].max()) + 1
    total, same = np.zeros(width), np.zeros(width)
    place = {name: number for number, name in enumerate(first.ids)}
    alike = np.array([place.get(name, -1) for name in second.ids])
    centre = first.mean
    for start, stop in first.spans(block):
        rows = first.rows(start, stop) - centre
        clips = first.clip_of(start, stop)
        left = _indicator(group_of[0][clips], width[0])
        for other, end in second.spans(block):
            if own and other < start:
                continue
            kernel = squared_distances(rows, second.rows(other, end) - centre)
            kernel *= -0.5 / bandwidth**2
            np.exp(kernel, out=kernel)
            if own and other == start:
                np.fill_diagonal(kernel, 0.0)
            there = second.clip_of(other, end)
            right = _indicator(group_of[1][there], width[1])
            mirrored = own and other > start
            total += _both(left.T @ (kernel @ right), mirrored)
            if np.isin(alike[there], clips).any():
                kernel *= clips[:, None] == alike[there][None, :]
                same += _both(left.T @ (kernel @ right), mirrored)
    counts = _counts(group_of, first, second), _same_counts(group_of, first, second, alike)
    return PairSums(total, counts[0], same, counts[1])


def _groups(frames: ClipFrames, groups: int) -> NDArray[np.int64]:
    """The group of each clip, shape [clips]."""
    return np.arange(len(frames.ids), dtype=np.int64) % min(groups, len(frames.ids))


def _both(sums: NDArray[np.float64], mirrored: bool) -> NDArray[np.float64]:
    return sums + sums.T if mirrored else sums


def _indicator(groups: NDArray[np.int64], width: int) -> NDArray[np.float64]:
    return np.asarray(groups[:, None] == np.arange(width)[None, :], dtype=np.float64)


Grouping = tuple[NDArray[np.int64], NDArray[np.int64]]


def _counts(groups: Grouping, first: ClipFrames, second: ClipFrames) -> NDArray[np.int64]:
    here = np.bincount(groups[0], weights=first.lengths).astype(np.int64)
    there = np.bincount(groups[1], weights=second.lengths).astype(np.int64)
    return np.outer(here, there) - (np.diag(here) if first is second else 0)


def _same_counts(
    groups: Grouping, first: ClipFrames, second: ClipFrames, alike: NDArray[np.int64]
) -> NDArray[np.int64]:
    counts = np.zeros((groups[0].max() + 1, groups[1].max() + 1), dtype=np.int64)
    for there, here in enumerate(alike):
        if here >= 0:
            length = int(first.lengths[here])
            counts[groups[0][here], groups[1][there]] += length * (int(second.lengths[there]) - (first is second))
    return counts
