"""Per-item values of a run: those of the planned samples, by today's plan, and no stale ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from calm_eval.keys import digest
from calm_eval.metrics.bound import BoundMetric
from calm_eval.metrics.protocol import MetricSpec
from calm_eval.runs.database import Database
from calm_eval.runs.plan_store import StoredPlan, StoredSample

UNSCORED = "unscored"
"""The name of why a system or a judge that declares itself unscored has no quality."""

REFERENCE_SET = "reference_set"
"""What a metric needs that belongs to the suite and to no item."""

ValueRow = Mapping[str, Any]
"""What was measured of one sample, under the names of the columns of `item_values`."""

_NOT_SCORED: ValueRow = {"numerator": None, "denominator": None, "parts": "{}", "refused": UNSCORED, "flags": "[]"}


def value_inputs(plan: StoredPlan, sample: StoredSample, spec: MetricSpec) -> str:
    """Identity of what a value depends on besides the sample: the parts of the item that the metric needs."""
    item = plan.items[sample.item]
    return digest([item.part(name) for name in spec.needs if name != REFERENCE_SET])


def sounds(database: Database) -> dict[str, str]:
    """What each made sample is: the identity of its audio, or the name of its failure."""
    rows = database.connection.execute("SELECT key, audio, failure FROM samples")
    return {row["key"]: row["audio"] or f"failure:{row['failure']}" for row in rows}


def row_inputs(plan: StoredPlan, spec: MetricSpec, members: Sequence[StoredSample], made: Mapping[str, str]) -> str:
    """Identity of what the value of a row depends on: what its samples are (`sounds`), their items' parts, the
    reference set.
    """
    rows = sorted([made[one.key], one.item, one.seed, value_inputs(plan, one, spec)] for one in members)
    return digest({"samples": rows, "reference_set": plan.reference_set_digest})


def planned_values(
    database: Database, plan: StoredPlan, bound: BoundMetric
) -> Iterator[tuple[StoredSample, ValueRow | None]]:
    """Every planned sample with its row in `item_values`, or None where there is no value of this metric.

    The quality of an unscored row, or by an unscored judge, is refused by name here, whatever the store may hold.
    """
    rows = database.connection.execute("SELECT * FROM item_values WHERE metric = ?", [bound.fingerprint])
    found = {(row["sample"], row["inputs"]): dict(row) for row in rows}
    shown = {variant.name for variant in plan.variants if variant.measured_by(bound.spec) and not bound.unscored}
    inputs: dict[str, str] = {}
    for sample in plan.samples:
        if sample.variant not in shown:
            yield sample, _NOT_SCORED
            continue
        if sample.item not in inputs:
            inputs[sample.item] = value_inputs(plan, sample, bound.spec)
        yield sample, found.get((sample.key, inputs[sample.item]))


def value_rows(database: Database, plan: StoredPlan) -> Iterator[dict[str, Any]]:
    """One row for each planned sample and metric that has a value or a named refusal."""
    for bound in plan.metrics:
        if bound.spec.kind == "set":
            continue
        for sample, row in planned_values(database, plan, bound):
            if row is None:
                continue
            top, bottom = row["numerator"], row["denominator"]
            yield {
                "suite": plan.suite.name,
                "variant": sample.variant,
                "item": sample.item,
                "seed": sample.seed,
                "metric": bound.spec.name,
                "preset": bound.preset,
                "numerator": top,
                "denominator": bottom,
                "value": top / bottom if top is not None and bottom else None,
                "parts": row["parts"],
                "refused": row["refused"],
                "flags": json.loads(row["flags"]),
                "fingerprint": bound.fingerprint,
            }


def stored_rows(database: Database, plan: StoredPlan, bound: BoundMetric) -> dict[str, dict[str, Any]]:
    """What was stored of each variant as a whole (the value of a `set` metric, or a gate's verdict), none stale."""
    query = "SELECT variant, inputs, json FROM set_values WHERE suite = ? AND metric = ?"
    rows = database.connection.execute(query, [plan.suite.name, bound.fingerprint]).fetchall()
    if not rows or bound.unscored:
        return {}
    made = sounds(database)
    members: dict[str, list[StoredSample]] = {}
    for sample in plan.samples:
        if sample.key in made:
            members.setdefault(sample.variant, []).append(sample)
    today = {
        variant.name: row_inputs(plan, bound.spec, members.get(variant.name, []), made)
        for variant in plan.variants
        if variant.measured_by(bound.spec)
    }
    return {row["variant"]: json.loads(row["json"]) for row in rows if today.get(row["variant"]) == row["inputs"]}
