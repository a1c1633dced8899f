"""Kernel audio distance: 100 x the unbiased squared maximum mean discrepancy of two sets of embeddings.

    KAD = 100 * (mean k(x, x') + mean k(y, y') - 2 mean k(x, y)),   k(a, b) = exp(-|a - b|^2 / (2 h^2))

x are reference frames, y generated ones (Gretton et al. 2012, "A Kernel Two-Sample Test", lemma 6; Chung et al. 2025,
"KAD: No More FAD!", for the factor and the median rule). h is the median distance of the REFERENCE, so the distance is
not symmetric; pin h once for each reference. Under equal distributions about half of all values are negative: that is
what unbiased means. kadtk adds 1e-8 to 2 h^2 and works in float32; nothing is added here, and all is float64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calm_eval.metrics.clip_frames import ClipFrames
from calm_eval.metrics.kernel_bandwidth import BLOCK, median_distance
from calm_eval.metrics.kernel_sums import Pairs, PairSums, pair_sums

SCALE = 100.0
GROUPS = 20


@dataclass(frozen=True)
class KernelSums:
    """All that the distance and its leave-group-out values are made of; a few numbers for each pair of groups."""

    reference: PairSums
    generated: PairSums
    cross: PairSums
    bandwidth: float
    same_ids: bool
    """The two sets have the same clip ids, so group g holds the same ids in both."""

    def distance(self, *, pairs: Pairs = "clips") -> float:
        """KAD."""
        return self._kept(*self._all(), pairs)

    def without_generated(self, *, pairs: Pairs = "clips") -> NDArray[np.float64]:
        """KAD without each group of generated clips in turn, shape [groups]; h stays. ValueError below three clips."""
        first, second = self._all()
        return np.array([self._kept(first, _but(second, group), pairs) for group in range(len(second))])

    def without_reference(self, *, pairs: Pairs = "clips") -> NDArray[np.float64]:
        """KAD without each group of reference clips in turn, shape [groups]; h stays. ValueError below three clips."""
        first, second = self._all()
        return np.array([self._kept(_but(first, group), second, pairs) for group in range(len(first))])

    def without_items(self, *, pairs: Pairs = "clips") -> NDArray[np.float64]:
        """KAD without each group of items on both sides, shape [groups]; h stays. ValueError unless `same_ids`."""
        if not self.same_ids:
            raise ValueError("the sets have different clip ids: leave out groups of one side at a time")
        first, second = self._all()
        return np.array([self._kept(_but(first, group), _but(second, group), pairs) for group in range(len(first))])

    def _all(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        groups = self.cross.total.shape
        return np.ones(groups[0], dtype=np.bool_), np.ones(groups[1], dtype=np.bool_)

    def _kept(self, first: NDArray[np.bool_], second: NDArray[np.bool_], pairs: Pairs) -> float:
        within = self.reference.mean(first, first, pairs) + self.generated.mean(second, second, pairs)
        return SCALE * (within - 2.0 * self.cross.mean(first, second, pairs))


def kernel_sums(
    reference: Mapping[str, NDArray[np.floating]],
    generated: Mapping[str, NDArray[np.floating]],
    *,
    bandwidth: float | None = None,
    groups: int = GROUPS,
    block: int = BLOCK,
) -> KernelSums:
    """Kernel sums of two sets of clips: id -> frames [F, d], float of any width, memory maps too.

    `bandwidth` h > 0 in units of the embedding; None takes the median distance of the reference. Clips are dealt to
    `groups` groups (fewer when there are fewer clips) in the order of the sha256 of their ids. Work grows with the
    square of the frames; memory is a few matrices of `block` x `block`, whatever the size of the sets. Arithmetic in
    float64 after centring. Raises ValueError on unequal dimensions, NaN or infinity, no clips, a bandwidth that is not
    positive, and as `median_distance` does.
    """
    first, second = ClipFrames(reference), ClipFrames(generated)
    if first.dims != second.dims:
        raise ValueError(f"embeddings of one dimension, got {first.dims} (reference) and {second.dims} (generated)")
    if groups < 2:
        raise ValueError(f"at least two groups of clips, got {groups}")
    width = median_distance(first, block=block) if bandwidth is None else bandwidth
    if not (np.isfinite(width) and width > 0):
        raise ValueError(f"a bandwidth above 0, got {width}")
    return KernelSums(
        reference=pair_sums(first, first, width, groups, block),
        generated=pair_sums(second, second, width, groups, block),
        cross=pair_sums(first, second, width, groups, block),
        bandwidth=width,
        same_ids=first.ids == second.ids,
    )


def kernel_distance(
    reference: Mapping[str, NDArray[np.floating]],
    generated: Mapping[str, NDArray[np.floating]],
    *,
    bandwidth: float | None = None,
    pairs: Pairs = "clips",
) -> float:
    """KAD of two sets of clips; arguments and errors as `kernel_sums`."""
    return kernel_sums(reference, generated, bandwidth=bandwidth).distance(pairs=pairs)


def _but(kept: NDArray[np.bool_], group: int) -> NDArray[np.bool_]:
    changed = kept.copy()
    changed[group] = False
    return changed
