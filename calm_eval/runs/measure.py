"""From judgements to stored values: one for each sample, or one for each row of a table, and the verdicts of gates."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import cast

from calm_eval.metrics.bound import BoundMetric, make_metric
from calm_eval.metrics.identity import metric_identity
from calm_eval.metrics.protocol import GatedMetric, Metric, SetMetric
from calm_eval.runs.database import Database
from calm_eval.runs.judgements import JudgementStore
from calm_eval.runs.plan_store import StoredPlan, StoredSample
from calm_eval.runs.samples import SampleStore
from calm_eval.runs.values import row_inputs, sounds, value_inputs
from calm_eval.runs.views import ReferenceClips, RowSamples, Views


def measure(
    database: Database, samples: SampleStore, judgements: JudgementStore, plan: StoredPlan, bound: BoundMetric
) -> None:
    """Store every value of this metric that can be had and is not there yet."""
    metric = make_metric(bound.use)
    if bound.spec.kind != "set":
        _measure_items(database, plan, bound, cast(Metric, metric), Views(plan, samples, judgements, bound))
    for part in _parts(plan, bound):
        views = Views(part, samples, judgements, bound)
        if bound.spec.kind == "set":
            _measure_sets(database, part, bound, cast(SetMetric, metric), views)
        elif hasattr(metric, "gate"):
            _measure_gates(database, part, bound, cast(GatedMetric, metric), views)
    about = {**metric_identity(bound.spec, bound.info), "preset": bound.preset}
    with database.connection:
        row = [bound.fingerprint, json.dumps(about)]
        database.connection.execute("INSERT OR REPLACE INTO metrics VALUES (?, ?)", row)


def _parts(plan: StoredPlan, bound: BoundMetric) -> list[StoredPlan]:
    """The sets of items that a row has a value of: what is told, and what its sampling is picked on."""
    tuning = plan.tuning if bound.spec.name == plan.suite.pick else None
    return [plan.scored, *([tuning] if tuning is not None else [])]


def _measure_items(database: Database, plan: StoredPlan, bound: BoundMetric, metric: Metric, views: Views) -> None:
    rows = database.connection.execute("SELECT sample, inputs FROM item_values WHERE metric = ?", [bound.fingerprint])
    known = {(row["sample"], row["inputs"]) for row in rows}
    measured = {row.name for row in plan.variants if row.measured_by(bound.spec)}
    fresh = []
    for sample in plan.samples:
        inputs = value_inputs(plan, sample, bound.spec)
        if sample.variant not in measured or (sample.key, inputs) in known:
            continue
        view = views.sample(sample)
        if view is None:
            continue
        value = metric.measure(view)
        parts, flags = json.dumps(dict(value.parts), sort_keys=True), json.dumps(value.flags)
        told = (value.numerator, value.denominator, parts, value.refused, flags)
        fresh.append((sample.key, bound.fingerprint, inputs, *told))
    with database.connection:
        database.connection.executemany("INSERT OR REPLACE INTO item_values VALUES (?, ?, ?, ?, ?, ?, ?, ?)", fresh)


def _measure_sets(database: Database, plan: StoredPlan, bound: BoundMetric, metric: SetMetric, views: Views) -> None:
    references: Sequence[object] = ()
    if "reference_set" in bound.spec.judged:
        assert bound.judge_fingerprint is not None
        references = ReferenceClips(list(plan.reference_set.items()), views.judgements, bound.judge_fingerprint)
    for variant, inputs, members in _unmeasured_rows(database, plan, bound, views):
        value = metric.measure_set(RowSamples(views, members), references)  # type: ignore[arg-type]
        _store(database, plan, bound, variant, inputs, asdict(value))


def _measure_gates(database: Database, plan: StoredPlan, bound: BoundMetric, metric: GatedMetric, views: Views) -> None:
    for variant, inputs, members in _unmeasured_rows(database, plan, bound, views):
        verdict = metric.gate(RowSamples(views, members))
        _store(database, plan, bound, variant, inputs, asdict(verdict))


def _unmeasured_rows(
    database: Database, plan: StoredPlan, bound: BoundMetric, views: Views
) -> list[tuple[str, str, list[StoredSample]]]:
    """Variant, identity of what its value rests on, and its samples that can be looked at."""
    rows = database.connection.execute(
        "SELECT variant, inputs FROM set_values WHERE suite = ? AND metric = ?", [plan.suite.name, bound.fingerprint]
    )
    known = {(row["variant"], row["inputs"]) for row in rows}
    made = sounds(database)
    found = []
    for variant in plan.variants:
        if not variant.measured_by(bound.spec):
            continue
        mine = [one for one in plan.samples if one.variant == variant.name]
        members = [one for one in mine if views.there(one)]
        inputs = row_inputs(plan, bound.spec, members, made)
        if members and (variant.name, inputs) not in known:
            found.append((variant.name, inputs, members))
    return found


def _store(
    database: Database, plan: StoredPlan, bound: BoundMetric, variant: str, inputs: str, told: dict[str, object]
) -> None:
    row = [plan.suite.name, variant, bound.fingerprint, inputs, json.dumps(told, sort_keys=True)]
    with database.connection:
        database.connection.execute("INSERT OR REPLACE INTO set_values VALUES (?, ?, ?, ?, ?)", row)
