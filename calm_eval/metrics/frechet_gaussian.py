"""Mean and covariance of frames, accumulated in float64 from blocks of any size (Chan, Golub and LeVeque 1979).

Embeddings stay where they are: a memory-mapped float32 array is converted block by block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

BLOCK_VALUES = 1 << 22
"""Values converted to float64 at a time (32 MB)."""


@dataclass(frozen=True)
class Gaussian:
    """What a Fréchet distance sees of a set: `count` frames, their mean [d] and covariance [d, d] (divisor count - 1).

    Raises ValueError for fewer than two frames, shapes that do not fit, a value that is not finite.
    """

    count: int
    mean: Array
    covariance: Array

    def __post_init__(self) -> None:
        mean = np.asarray(self.mean, dtype=np.float64)
        covariance = np.asarray(self.covariance, dtype=np.float64)
        if self.count < 2:
            raise ValueError(f"a covariance needs at least two frames, got {self.count}")
        if mean.ndim != 1 or mean.size == 0 or covariance.shape != (mean.size, mean.size):
            raise ValueError(f"a mean [d] and a covariance [d, d], got {mean.shape} and {covariance.shape}")
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            raise ValueError("a mean or a covariance is not finite")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", covariance)

    @property
    def dimensions(self) -> int:
        """The number d."""
        return int(self.mean.size)


@dataclass(frozen=True)
class Moments:
    """Count, mean [d] and centred scatter [d, d] (sum of outer products of deviations) of zero or more frames."""

    count: int
    mean: Array
    scatter: Array

    def gaussian(self) -> Gaussian:
        """The Gaussian. Raises ValueError for fewer than two frames."""
        return Gaussian(self.count, self.mean, self.scatter / max(self.count - 1, 1))

    def without(self, part: Moments) -> Moments:
        """What is left when `part`, whose frames are among these, is taken out."""
        left = self.count - part.count
        away = part.mean - self.mean
        mean = self.mean - away * (part.count / left)
        scatter = self.scatter - part.scatter - np.outer(away, away) * (part.count * self.count / left)
        return Moments(left, mean, scatter)


def no_moments(dimensions: int) -> Moments:
    """The moments of no frame at all."""
    return Moments(0, np.zeros(dimensions), np.zeros((dimensions, dimensions)))


def moments_of(frames: Array) -> Moments:
    """The moments of frames [n, d], n >= 1, that are in memory as float64."""
    mean = frames.mean(axis=0)
    away = frames - mean
    # The mean of n rounded sums is itself rounded; what that leaves is taken out, as in a corrected two-pass variance.
    rest = away.mean(axis=0)
    away -= rest
    return Moments(len(frames), mean + rest, away.T @ away)


def merged(parts: Iterable[Moments]) -> Moments:
    """The moments of all frames together; no subtraction, so nothing is lost. Raises ValueError for no parts."""
    kept = list(parts)
    if not kept:
        raise ValueError("nothing to merge")
    kept = [part for part in kept if part.count] or kept[:1]
    if len(kept) == 1:
        return kept[0]
    counts = np.array([part.count for part in kept], dtype=np.float64)
    total = int(sum(part.count for part in kept))
    # Means relative to one of them: a large common offset stays out of the sums.
    pivot = kept[0].mean
    offsets = np.stack([part.mean - pivot for part in kept])
    middle = counts @ offsets / total
    between = (offsets - middle) * np.sqrt(counts)[:, None]
    scatter = between.T @ between
    for part in kept:
        scatter += part.scatter
    return Moments(total, pivot + middle, scatter)


def checked_frames(frames: ArrayLike) -> NDArray[np.generic]:
    """Frames as a float array [n, d]. Raises ValueError for another shape or kind."""
    array = np.asanyarray(frames)
    if array.ndim != 2 or array.shape[1] == 0 or not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"embeddings are a float array [frames, d], got {array.dtype} of shape {array.shape}")
    return array


def float64_blocks(frames: ArrayLike, rows: int | None = None) -> Iterator[Array]:
    """Frames [n, d] in float64 blocks of some rows, in order. Raises ValueError where a value is not finite."""
    array = checked_frames(frames)
    step = rows or max(1, BLOCK_VALUES // array.shape[1])
    for start in range(0, len(array), step):
        block = np.asarray(array[start : start + step], dtype=np.float64)
        if not np.isfinite(block).all():
            raise ValueError(f"embeddings hold a value that is not finite, in frames {start} to {start + len(block)}")
        yield block


def frame_moments(frames: ArrayLike) -> Moments:
    """The moments of frames [n, d], read block by block. Raises ValueError for other shapes or values not finite."""
    dimensions = checked_frames(frames).shape[1]
    total = no_moments(dimensions)
    # Joining costs as much as a product of some dimensions' worth of frames, so blocks are several times that.
    for block in float64_blocks(frames, max(BLOCK_VALUES // dimensions, 5 * dimensions)):
        total = merged([total, moments_of(block)])
    return total


def gaussian_of(frames: ArrayLike) -> Gaussian:
    """The Gaussian of frames [n, d], n >= 2, read block by block. Raises ValueError as `frame_moments`."""
    return frame_moments(frames).gaussian()


class Accumulator:
    """Moments of frames that come in pieces; small pieces wait until a block is worth a product. Holds O(d^2)."""

    def __init__(self) -> None:
        self._total: Moments | None = None
        self._waiting: list[Array] = []
        self._rows = 0

    def add(self, frames: ArrayLike) -> None:
        """Take frames [n, d] in. Raises ValueError for n = 0, another d than before, or a value not finite."""
        array = checked_frames(frames)
        if len(array) == 0:
            raise ValueError("no frames")
        if self._total is None:
            self._total = no_moments(array.shape[1])
        if array.shape[1] != len(self._total.mean):
            raise ValueError(f"embeddings of {array.shape[1]} dimensions among those of {len(self._total.mean)}")
        # A copy: the caller may use the same memory for its next frames.
        for block in float64_blocks(array):
            self._waiting.append(block.copy())
            self._rows += len(block)
            if self._rows >= max(256, array.shape[1] // 4):
                self._take()

    def moments(self) -> Moments:
        """The moments of all frames so far. Raises ValueError before the first."""
        self._take()
        if self._total is None:
            raise ValueError("no frames")
        return self._total

    def _take(self) -> None:
        if self._waiting and self._total is not None:
            self._total = merged([self._total, moments_of(np.concatenate(self._waiting))])
        self._waiting, self._rows = [], 0
