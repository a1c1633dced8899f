"""Drift: a metric over the position in the clip. Where windows lie, and what many clips give at each of them.

Cutting and judging the windows is done elsewhere; here are positions, and sums over clips.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from calm_eval.metrics.protocol import ItemValue

Tail = Literal["drop", "keep", "merge"]


@dataclass(frozen=True)
class Window:
    """Samples `start` up to, not including, `stop` of one clip."""

    start: int
    stop: int


@dataclass(frozen=True)
class CurvePoint:
    """One position of a drift curve.

    `value` is the sum of numerators over the sum of denominators (a plain mean for metrics of kind `item`), None where
    nothing was scored or no denominator is left. `n_expected` clips reach this window, `n_scored` have a value there,
    and `missing` counts the others by name.
    """

    window: int
    value: float | None
    n_scored: int
    n_expected: int
    missing: Mapping[str, int]


def equal_windows(frames: int, count: int) -> list[Window]:
    """Cut a clip of `frames` samples into `count` windows that differ by at most one sample and leave nothing out.

    Window j of any clip is the same share of it. Raises ValueError for fewer samples than windows or `count` < 1.
    """
    if count < 1 or frames < count:
        raise ValueError(f"cannot cut {frames} samples into {count} windows")
    edges = [frames * index // count for index in range(count + 1)]
    return [Window(start, stop) for start, stop in pairwise(edges)]


def fixed_windows(frames: int, sample_rate: int, seconds: float, tail: Tail) -> list[Window]:
    """Cut a clip of `frames` samples into windows of `seconds` from its start; edges are rounded to samples.

    What is left at the end, shorter than a window, is left out (`drop`), a shorter window of its own (`keep`), or part
    of the window before (`merge`). A clip shorter than one window has no window with `drop`, else it is one itself.
    Edges come from the number of the window, so they do not wander off. Raises ValueError for a window under one
    sample, a negative length or an unknown rule.
    """
    if tail not in ("drop", "keep", "merge"):
        raise ValueError(f"tail rule '{tail}', expected drop, keep or merge")
    if frames < 0 or not seconds * sample_rate >= 1:
        raise ValueError(f"cannot cut {frames} samples at {sample_rate} Hz into windows of {seconds} s")
    edges = [0]
    while (edge := round(len(edges) * seconds * sample_rate)) <= frames:
        edges.append(edge)
    if edges[-1] < frames and tail != "drop":
        if tail == "merge" and len(edges) > 1:
            edges[-1] = frames
        else:
            edges.append(frames)
    return [Window(start, stop) for start, stop in pairwise(edges)]


def drift_curve(clips: Sequence[Sequence[ItemValue]]) -> list[CurvePoint]:
    """From the values of the windows of each clip, in order, to one point for each window that any clip reaches.

    Clips may have different numbers of windows. Later points then rest on the longer clips alone, as `n_expected`
    shows, and the curve may move because the clips change; `paired_changes` compares clips with themselves.
    """
    points = []
    for window in range(max((len(values) for values in clips), default=0)):
        here = [values[window] for values in clips if len(values) > window]
        scored = [value for value in here if _counts(value)]
        numerator = sum(value.numerator or 0.0 for value in scored)
        denominator = sum(value.denominator or 0.0 for value in scored)
        points.append(
            CurvePoint(
                window=window,
                value=numerator / denominator if denominator else None,
                n_scored=len(scored),
                n_expected=len(here),
                missing=dict(Counter(value.refused or "no-value" for value in here if not _counts(value))),
            )
        )
    return points


def paired_changes(clips: Sequence[Sequence[ItemValue]], early: int, late: int) -> list[float | None]:
    """For each clip its value in window `late` less that in window `early`; None where it lacks one of the two.

    Windows may count from the end (-1 is the clip's last). A window's value is its numerator over its denominator.
    """
    return [_change(values, early, late) for values in clips]


def _change(values: Sequence[ItemValue], early: int, late: int) -> float | None:
    ends = []
    for window in (early, late):
        if not -len(values) <= window < len(values):
            return None
        value = values[window]
        if value.numerator is None or not value.denominator:
            return None
        ends.append(value.numerator / value.denominator)
    return ends[1] - ends[0]


def _counts(value: ItemValue) -> bool:
    return value.refused is None and value.numerator is not None and value.denominator is not None
