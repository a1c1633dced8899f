"""Do head evaluations and head time grow in a straight line with steps, or with depth?

The spans are those that the systems mark themselves, in a child of one thread, as in any run.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from bar import Bar

from calm_eval.data.item import Item
from calm_eval.data.load import suite_items
from calm_eval.specs.suite import load_suite
from calm_eval.specs.system import load_system
from calm_eval.systems.engine import Conditions, Engine, Place
from calm_eval.systems.open import open_engine
from calm_eval.systems.protocol import Value

SUITE = "mini/music_continuation"
STEPS = (1, 2, 4, 6, 8, 12, 16)
DEPTHS = (1, 2, 3, 4, 5, 6, 7, 8)
SWEPT = {
    "mini-calm-music": ("steps", STEPS),
    "mini-trigflow-music": ("steps", STEPS),
    "mini-rq-music": ("depth", DEPTHS),
}
SECONDS = 4.0
GENERATIONS = 3
LEAST = 0.95


@dataclass(frozen=True)
class Line:
    """Least squares: value = slope · x + start, with the share of the variance that it explains."""

    slope: float
    start: float
    r_squared: float


@dataclass(frozen=True)
class Point:
    """One value of the parameter: head evaluations per second of audio, and the median head span (nanoseconds)."""

    value: int
    evaluations: float
    nanoseconds: float


def line(x: Sequence[float], y: Sequence[float]) -> Line:
    """The least squares line. Raises ValueError for fewer than three points, or values that are all one."""
    one, two = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if len(one) < 3 or one.shape != two.shape or np.ptp(one) == 0 or np.ptp(two) == 0:
        raise ValueError("a line needs three or more points that differ in both directions")
    slope, start = np.polyfit(one, two, 1)
    residuals = two - (slope * one + start)
    explained = 1 - float(residuals @ residuals) / float(np.sum((two - two.mean()) ** 2))
    return Line(float(slope), float(start), explained)


def measure(system: str, parameter: str, values: Sequence[int]) -> tuple[float, list[Point]]:
    """The frame rate (Hz) of a system, and a point for each value. Raises RuntimeError when a generation fails.

    All values are gone through, then again: what else the machine does for a while then touches all of them alike. The
    first round does not count, since it also pays for what is done once.
    """
    item = replace(suite_items(load_suite(SUITE))[0], duration=SECONDS)
    spans: dict[int, list[int]] = {value: [] for value in values}
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), Path(folder) / "log")
        with contextlib.closing(open_engine(load_system(system), [item], place, Conditions(threads=1))) as engine:
            defaults = {name: one.default for name, one in engine.info.sampling.items()}
            samplings = [{**defaults, parameter: value} for value in values]
            evaluations = engine.head_evaluations(samplings)
            for number in range(GENERATIONS):
                for value, sampling in zip(values, samplings, strict=True):
                    found = head_spans(engine, item, number, sampling)
                    spans[value] += found if number else []
            rate = engine.info.frame_rate
    return rate, [
        Point(value, told, statistics.median(spans[value]))
        for value, told in zip(values, evaluations, strict=True)
        if told is not None
    ]


def head_spans(engine: Engine, item: Item, seed: int, sampling: Mapping[str, Value]) -> list[int]:
    """Nanoseconds of the head in each frame of one generation. Raises RuntimeError when there are none."""
    found: list[int] = []
    for outcome in engine.generate([item], seed, "music_continuation", sampling):
        if outcome.failure is not None:
            raise RuntimeError(f"{dict(sampling)}: {outcome.failure}: {outcome.text}")
        heads = (span.nanoseconds for span in outcome.spans if span.name == "head")
        found += [spent for spent in heads if spent is not None]
    if not found:
        raise RuntimeError(f"{dict(sampling)}: the system marks no head")
    return found


def bars() -> list[Bar]:
    """Two for each system: evaluations, and time."""
    found = []
    for system, (parameter, values) in SWEPT.items():
        rate, points = measure(system, parameter, values)
        found += judged(system, parameter, rate, points)
    return found


def judged(system: str, parameter: str, rate: float, points: Sequence[Point]) -> list[Bar]:
    """Evaluations must be exactly value × frame rate; the medians must lie on a line."""
    counted = all(point.evaluations == point.value * rate for point in points)
    values = [float(point.value) for point in points]
    fit = line(values, [point.nanoseconds for point in points])
    told = ", ".join(f"{point.value}: {point.nanoseconds / 1e6:.2f}" for point in points)
    return [
        Bar(
            f"{system}: head evaluations per second of audio",
            f"{parameter} × {rate:g} Hz exactly",
            ", ".join(f"{point.value}: {point.evaluations:g}" for point in points),
            counted,
        ),
        Bar(
            f"{system}: head time of a frame against {parameter}",
            f"r² at least {LEAST} over at least 6 values",
            f"r² {fit.r_squared:.4f}, {fit.slope / 1e6:.3f} ms each and {fit.start / 1e6:.3f} ms beside; ms at {told}",
            fit.r_squared >= LEAST and fit.slope > 0 and len(points) >= 6,
        ),
    ]
