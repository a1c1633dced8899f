"""Statistics of groups of clips, from one pass over embeddings that stay on disk, and the interval made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calm_eval.metrics.frechet import frechet_distance
from calm_eval.metrics.frechet_gaussian import Accumulator, Gaussian, Moments, checked_frames, merged
from calm_eval.stats.jackknife import Jackknife, both, jackknife


@dataclass(frozen=True)
class GroupedClips:
    """Moments of each group that has clips, and what tells how alike the frames of one clip are.

    `lengths` are frames of each clip [clips]. `within` is the sum over clips and dimensions of squared deviations from
    the clip's own mean.
    """

    parts: tuple[Moments, ...]
    lengths: NDArray[np.int64]
    within: float

    @property
    def sizes(self) -> list[int]:
        """Frames of each group."""
        return [part.count for part in self.parts]

    def moments(self, kept: Sequence[int] | None = None) -> Moments:
        """Moments of the kept groups (numbers from 0), of all when left out. Sums only: nothing cancels."""
        return merged(self.parts if kept is None else [self.parts[number] for number in kept])

    def gaussian(self, kept: Sequence[int] | None = None) -> Gaussian:
        """The Gaussian of the kept groups. Raises ValueError for fewer than two frames."""
        return self.moments(kept).gaussian()


def group_clips(clips: Iterable[tuple[str, ArrayLike]], groups: Mapping[str, int]) -> GroupedClips:
    """Walk (clip id, frames [F, d]) once. `groups` names a group for each id (`calm_eval.stats.jackknife.deal`).

    Several seeds of one item belong in one group: deal the items, then give each clip its item's. Raises ValueError,
    naming the clip, for an id that comes twice or has no group, no frames, another d, a value that is not finite; and
    for no clips.
    """
    sums: dict[int, Accumulator] = {}
    lengths: list[int] = []
    within = 0.0
    seen: set[str] = set()
    dimensions: int | None = None
    for name, told in clips:
        if name in seen:
            raise ValueError(f"clip '{name}' is there twice")
        if name not in groups:
            raise ValueError(f"clip '{name}' has no group")
        seen.add(name)
        try:
            frames = checked_frames(told)
            if dimensions not in (None, frames.shape[1]):
                raise ValueError(f"embeddings of {frames.shape[1]} dimensions among those of {dimensions}")
            sums.setdefault(groups[name], Accumulator()).add(frames)
        except ValueError as error:
            raise ValueError(f"clip '{name}': {error}") from error
        dimensions = frames.shape[1]
        exact = np.asarray(frames, dtype=np.float64)
        lengths.append(len(exact))
        within += float(((exact - exact.mean(axis=0)) ** 2).sum())
    if not sums:
        raise ValueError("no clips")
    parts = tuple(sums[number].moments() for number in sorted(sums))
    return GroupedClips(parts, np.array(lengths, dtype=np.int64), within)


def frechet_interval(generated: GroupedClips, reference: Gaussian | GroupedClips) -> Jackknife | None:
    """Fréchet distance with its jackknife over groups of generated clips; None with fewer than two groups.

    With a Gaussian as reference, that very reference set is the target; with grouped clips, what they are a sample of:
    their groups are left out in turn as well, and both variances add. Also None when a group holds so much that fewer
    than two frames are left without it. Raises ValueError as `frechet_distance`.
    """
    whole = reference if isinstance(reference, Gaussian) else reference.gaussian()
    first = _one_side(generated, whole)
    if isinstance(reference, Gaussian) or first is None:
        return first
    second = _one_side(reference, generated.gaussian())
    return None if second is None else both(first, second)


def _one_side(clips: GroupedClips, other: Gaussian) -> Jackknife | None:
    if sum(clips.sizes) - max(clips.sizes) < 2:
        return None
    return jackknife(lambda kept: frechet_distance(clips.gaussian(kept), other), len(clips.parts), clips.sizes)
