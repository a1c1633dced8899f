"""Drift: an item metric over the position in the clip, by judging each window of a sample by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import cast

from calm_eval.keys import digest, seed_from
from calm_eval.metrics.bound import BoundMetric, make_metric
from calm_eval.metrics.drift import CurvePoint, Window, drift_curve, fixed_windows, paired_changes
from calm_eval.metrics.protocol import ItemValue, Metric, SampleView
from calm_eval.runs.asking import Question
from calm_eval.runs.database import Database
from calm_eval.runs.judgements import JudgementStore
from calm_eval.runs.plan_store import StoredPlan, StoredSample
from calm_eval.runs.rows import Variant
from calm_eval.runs.samples import SampleStore
from calm_eval.runs.values import value_inputs
from calm_eval.runs.views import Views
from calm_eval.stats.bootstrap import ratio_interval

Interval = tuple[float, float] | None


@dataclass(frozen=True)
class Curve:
    """A row's metric over positions. `intervals` has one for each point; `change` is last window less first, paired."""

    variant: Variant
    metric: BoundMetric
    points: Sequence[CurvePoint]
    intervals: Sequence[Interval]
    change: float | None
    change_interval: Interval
    n_changes: int


def windows_of(seconds: float, bound: BoundMetric) -> list[Window]:
    """The windows of a sample of so many seconds at the judge's rate; a rest shorter than a window is left out."""
    assert bound.info is not None
    assert bound.use.drift is not None
    rate = bound.info.sample_rate
    # A little more than half a sample for the rounding of seconds in the store.
    return fixed_windows(int(seconds * rate + 0.6), rate, bound.use.drift, "drop")


def window_key(audio: str, window: Window, rate: int) -> str:
    """Under which name the judgement of a window of an audio is stored."""
    return f"window:{digest([audio, rate, window.start, window.stop])}"


def window_questions(plan: StoredPlan, samples: SampleStore, users: Sequence[BoundMetric]) -> dict[str, Question]:
    """Every window that these metrics want judged."""
    wanted: dict[str, Question] = {}
    for bound in (one for one in users if one.use.drift is not None and one.info is not None):
        shown = {row.name for row in plan.variants if row.measured_by(bound.spec)}
        for sample in plan.scored.samples:
            row = samples.get(sample.key) if sample.variant in shown else None
            if row is not None and row["audio"] is not None:
                for window in windows_of(row["seconds"], bound):
                    assert bound.info is not None
                    key = window_key(row["audio"], window, bound.info.sample_rate)
                    wanted[key] = Question(audio=row["audio"], window=(window.start, window.stop))
    return wanted


def measure_drift(
    database: Database, samples: SampleStore, judgements: JudgementStore, plan: StoredPlan, bound: BoundMetric
) -> None:
    """Store the value of every window that is judged and not measured yet."""
    metric = cast(Metric, make_metric(bound.use))
    views = Views(plan, samples, judgements, bound)
    query = "SELECT sample, inputs FROM window_values WHERE metric = ? AND seconds = ?"
    found = database.connection.execute(query, [bound.fingerprint, bound.use.drift])
    known = {(row["sample"], row["inputs"]) for row in found}
    shown = {row.name for row in plan.variants if row.measured_by(bound.spec)}
    fresh = []
    for sample in plan.scored.samples:
        inputs = value_inputs(plan, sample, bound.spec)
        if sample.variant not in shown or (sample.key, inputs) in known:
            continue
        for place, value in enumerate(_window_values(samples, judgements, bound, metric, views, sample)):
            told = (value.numerator, value.denominator, value.refused)
            fresh.append((sample.key, bound.fingerprint, bound.use.drift, inputs, place, *told))
    with database.connection:
        database.connection.executemany("INSERT OR REPLACE INTO window_values VALUES (?, ?, ?, ?, ?, ?, ?, ?)", fresh)


def _window_values(
    samples: SampleStore,
    judgements: JudgementStore,
    bound: BoundMetric,
    metric: Metric,
    views: Views,
    sample: StoredSample,
) -> list[ItemValue]:
    row, view = samples.get(sample.key), views.sample(sample)
    if row is None or view is None or row["audio"] is None:
        return []
    assert bound.info is not None
    assert bound.judge_fingerprint is not None
    values = []
    for window in windows_of(row["seconds"], bound):
        key = window_key(row["audio"], window, bound.info.sample_rate)
        judgement = judgements.get(key, bound.judge_fingerprint)
        if judgement is None:
            return []
        seconds = (window.stop - window.start) / bound.info.sample_rate
        heard = {**view.judgements, "sample": judgement}
        values.append(metric.measure(SampleView(None, view.flags, view.text, seconds, judgements=heard)))
    return values


def drift_curves(database: Database, plan: StoredPlan) -> list[Curve]:
    """The curves of every metric of the suite that has them, row by row. Needs no judge and no metric's package."""
    curves = []
    for bound in (one for one in plan.metrics if one.use.drift is not None):
        query = "SELECT * FROM window_values WHERE metric = ? AND seconds = ? ORDER BY sample, inputs, place"
        rows = database.connection.execute(query, [bound.fingerprint, bound.use.drift])
        stored = {
            key: [ItemValue(one["numerator"], one["denominator"], refused=one["refused"]) for one in group]
            for key, group in groupby(rows, key=lambda one: (one["sample"], one["inputs"]))
        }
        for variant in plan.variants:
            mine = [one for one in plan.samples if one.variant == variant.name]
            clips = {one: stored.get((one.key, value_inputs(plan, one, bound.spec)), []) for one in mine}
            if any(clips.values()):
                curves.append(_curve(variant, bound, clips))
    return curves


def _curve(variant: Variant, bound: BoundMetric, clips: Mapping[StoredSample, Sequence[ItemValue]]) -> Curve:
    points = drift_curve(list(clips.values()))
    seed = seed_from("drift", bound.fingerprint, variant.name)
    intervals: list[Interval] = []
    for point in points:
        here = {one: values[point.window] for one, values in clips.items() if len(values) > point.window}
        tops, bottoms = _by_item({one: (v.numerator, v.denominator) for one, v in here.items()})
        intervals.append(ratio_interval(tops, bottoms, seed=seed) if tops else None)
    changes = dict(zip(clips, paired_changes(list(clips.values()), 0, -1), strict=True))
    several = {one: (change, 1.0) for one, change in changes.items() if len(clips[one]) > 1}
    tops, bottoms = _by_item(several)
    change = sum(tops) / sum(bottoms) if tops else None
    spread = ratio_interval(tops, bottoms, seed=seed) if tops else None
    return Curve(variant, bound, points, intervals, change, spread, len(tops))


def _by_item(values: Mapping[StoredSample, tuple[float | None, float | None]]) -> tuple[list[float], list[float]]:
    """Sums of numerators and denominators of each item over its seeds; those without a value are left out."""
    tops: dict[str, float] = {}
    bottoms: dict[str, float] = {}
    for one, (top, bottom) in values.items():
        if top is not None and bottom:
            tops[one.item] = tops.get(one.item, 0.0) + top
            bottoms[one.item] = bottoms.get(one.item, 0.0) + bottom
    return list(tops.values()), list(bottoms.values())
