"""A set metric on items that are chosen from two rows: what a label swap and a joint jackknife ask for many times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.float32]
Clips = Mapping[str, Frames]
"""Frames [F, d] by item, all seeds of an item together."""


class SetChoice(Protocol):
    """The metric's value of sets that take each item from one of two rows."""

    items: Sequence[str]

    def __call__(self, from_second: NDArray[np.bool_], kept: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Values [choices] for `from_second` [choices, items]; `kept` [items] leaves items out, the same in all.

        NaN where too little is left for a value.
        """
        ...


class ComparableSetMetric(Protocol):
    """A metric of kind `set` by which two rows can be tested against each other."""

    def choice(self, first: Clips, second: Clips, references: Clips) -> SetChoice:
        """The value of choices from two rows with the same items. Raises ValueError for other items on one side."""
        ...


def common_items(first: Clips, second: Clips) -> list[str]:
    """The items of both rows, sorted. Raises ValueError where they differ or there are none."""
    if first.keys() != second.keys() or not first.keys():
        raise ValueError(f"two rows of the same items, got {len(first)} and {len(second)}")
    return sorted(first)


def stacked(clips: Clips, items: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """All frames [N, d] in float64 in the order of the items, and of which item each is [N]."""
    parts = [np.asarray(clips[name], dtype=np.float64) for name in items]
    return np.concatenate(parts), np.repeat(np.arange(len(items)), [len(part) for part in parts])
