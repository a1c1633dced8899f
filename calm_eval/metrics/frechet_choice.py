"""Fréchet distances of sets chosen item by item from two rows, to one reference set; many of them in little time.

For frames x of a set with mean m, and a reference with mean r and covariance S: |m - r|^2 + Tr(C) + Tr(S) - 2 N, N the
nuclear norm of the centred frames times a factor of S, over sqrt(n - 1). The frames are multiplied by the factor once;
of each choice only the eigenvalues of a Gram matrix are needed. With few dimensions that matrix is a sum over items, so
that a choice costs no pass over frames at all. Eigenvalues of a Gram matrix hold singular values to about 1e-8 of the
largest: enough for a test, and the value that is reported comes from `frechet.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calm_eval.metrics.frechet import covariance_factor
from calm_eval.metrics.frechet_gaussian import gaussian_of
from calm_eval.metrics.set_choice import Clips, common_items, stacked

FEW_DIMENSIONS = 64

Array = NDArray[np.float64]


class FrechetChoice:
    """A `SetChoice`. Raises ValueError for rows of different items or dimensions, and for a reference of one frame."""

    items: Sequence[str]

    def __init__(self, first: Clips, second: Clips, references: Clips) -> None:
        self.items = common_items(first, second)
        reference = gaussian_of(stacked(references, sorted(references))[0])
        factor = covariance_factor(reference.covariance)
        self._trace = float(np.trace(reference.covariance))
        self._rows = [_Row(*stacked(clips, self.items), reference.mean, factor) for clips in (first, second)]
        count = len(self.items)
        self._sums = [row.sums(count) for row in self._rows] if factor.shape[1] <= FEW_DIMENSIONS else None

    def __call__(self, from_second: NDArray[np.bool_], kept: NDArray[np.bool_] | None = None) -> Array:
        """As the protocol says; NaN with fewer than two frames."""
        there = np.ones(len(self.items), dtype=np.bool_) if kept is None else kept
        one = self._by_sums if self._sums is not None else self._by_frames
        return np.array([one(choice & there, ~choice & there) for choice in from_second])

    def _by_sums(self, second: NDArray[np.bool_], first: NDArray[np.bool_]) -> float:
        assert self._sums is not None
        count, place, square, image, gram = (
            mine[first].sum(axis=0) + other[second].sum(axis=0) for mine, other in zip(*self._sums, strict=True)
        )
        if count < 2:
            return float("nan")
        # What the mean takes from a sum of squares.
        gram = gram - np.outer(image, image) / count
        return self._assembled(float(count), place / count, float(square), gram)

    def _by_frames(self, second: NDArray[np.bool_], first: NDArray[np.bool_]) -> float:
        chosen = [(row, mask[row.of]) for row, mask in zip(self._rows, (first, second), strict=True)]
        image = np.concatenate([row.image[mask] for row, mask in chosen])
        if len(image) < 2:
            return float("nan")
        mean = np.concatenate([row.moved[mask] for row, mask in chosen]).mean(axis=0)
        square = sum(float(row.square[mask].sum()) for row, mask in chosen)
        image -= image.mean(axis=0)
        gram = image @ image.T if len(image) < image.shape[1] else image.T @ image
        return self._assembled(float(len(image)), mean, square, gram)

    def _assembled(self, count: float, mean: Array, square: float, gram: Array) -> float:
        length = float(mean @ mean)
        nuclear = float(np.sqrt(np.clip(np.linalg.eigvalsh(gram), 0, None)).sum()) / np.sqrt(count - 1)
        trace = (square - count * length) / (count - 1)
        return float(length + trace + self._trace - 2 * nuclear)


class _Row:
    """One row's frames: of which item each is, where it lies from the reference's mean, and its image by the factor."""

    def __init__(self, frames: Array, of: NDArray[np.int64], mean: Array, factor: Array) -> None:
        self.of = of
        self.moved = frames - mean
        self.image = self.moved @ factor
        self.square = (self.moved**2).sum(axis=1)

    def sums(self, items: int) -> tuple[Array, Array, Array, Array, Array]:
        """By item: frames, sums of places [d], of squared lengths, of images [w], of their outer products [w, w]."""
        count = np.bincount(self.of, minlength=items).astype(np.float64)
        place = np.zeros((items, self.moved.shape[1]))
        image = np.zeros((items, self.image.shape[1]))
        np.add.at(place, self.of, self.moved)
        np.add.at(image, self.of, self.image)
        square = np.asarray(np.bincount(self.of, weights=self.square, minlength=items), dtype=np.float64)
        gram = np.zeros((items, self.image.shape[1], self.image.shape[1]))
        for item in range(items):
            part = self.image[self.of == item]
            gram[item] = part.T @ part
        return count, place, square, image, gram
