"""From per-item values to estimates with intervals: one for each variant and metric."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from calm_eval.keys import seed_from
from calm_eval.metrics.bound import BoundMetric
from calm_eval.runs.database import Database
from calm_eval.runs.plan_store import StoredPlan, StoredSample
from calm_eval.runs.rows import Variant
from calm_eval.runs.values import ValueRow, planned_values, stored_rows
from calm_eval.stats.bootstrap import LEVEL, NAME, RESAMPLES, ratio_interval
from calm_eval.stats.estimate import Estimate

METHOD = f"{NAME} over items, {RESAMPLES} resamples, {LEVEL:.0%}"
SEEDS_METHOD = f"{NAME} over items and their seeds, {RESAMPLES} resamples, {LEVEL:.0%}"


@dataclass(frozen=True)
class Cell:
    """One estimate and what it is of."""

    variant: Variant
    metric: BoundMetric
    estimate: Estimate


def aggregate(database: Database, plan: StoredPlan) -> list[Cell]:
    """Every cell of a suite, in the order of its variants and metrics."""
    rows = database.connection.execute("SELECT key, flags FROM samples")
    flags: dict[str, list[str]] = {row["key"]: json.loads(row["flags"]) for row in rows}
    cells = []
    for bound in plan.metrics:
        of_rows = stored_rows(database, plan, bound)
        by_variant: dict[str, list[tuple[StoredSample, ValueRow | None]]] = {row.name: [] for row in plan.variants}
        for sample, row in planned_values(database, plan, bound):
            by_variant[sample.variant].append((sample, row))
        for variant in plan.variants:
            samples, of_row = by_variant[variant.name], of_rows.get(variant.name)
            if bound.spec.kind == "set":
                estimate = _of_set(plan, bound, samples, of_row, flags)
            else:
                estimate = _estimate(plan, bound, samples, flags)
                estimate = estimate if of_row is None else _gated(estimate, of_row)
            cells.append(Cell(variant, bound, estimate))
    order = {variant.name: place for place, variant in enumerate(plan.variants)}
    return sorted(cells, key=lambda cell: order[cell.variant.name])


def _estimate(
    plan: StoredPlan,
    bound: BoundMetric,
    samples: Sequence[tuple[StoredSample, ValueRow | None]],
    flags: dict[str, list[str]],
) -> Estimate:
    tops: dict[str, list[float]] = {}
    bottoms: dict[str, list[float]] = {}
    failures: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    scored = 0
    for sample, row in samples:
        if row is None:
            missing = "judge-unavailable" if bound.unavailable else "not-scored"
            failures[missing if sample.key in flags else "not-generated"] += 1
            continue
        if row["numerator"] is None:
            failures[row["refused"]] += 1
            continue
        scored += 1
        noticed.update(flags.get(sample.key, []))
        noticed.update(json.loads(row["flags"]))
        # A seed without a value is 0 over 0.
        tops.setdefault(sample.item, [0.0] * plan.seeds)[sample.seed] = row["numerator"]
        bottoms.setdefault(sample.item, [0.0] * plan.seeds)[sample.seed] = row["denominator"]
    top, bottom = list(tops.values()), list(bottoms.values())
    total = sum(map(sum, bottom))
    interval = ratio_interval(top, bottom, seed=seed_from(bound.fingerprint, plan.items_digest)) if scored else None
    return Estimate(
        value=sum(map(sum, top)) / total if total > 0 else None,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
        n_scored=scored,
        n_expected=len(samples),
        n_items=len(tops),
        seeds=plan.seeds,
        method=METHOD if plan.seeds == 1 else SEEDS_METHOD,
        failures=dict(sorted(failures.items())),
        flags=dict(sorted(noticed.items())),
    )


def _gated(estimate: Estimate, verdict: dict[str, Any]) -> Estimate:
    """The estimate with what a gate over the row says of it; one that means nothing has no value."""
    told = replace(estimate, warnings=tuple(verdict["warnings"]), notes=verdict["notes"])
    if verdict["invalid"] is None:
        return told
    return replace(told, value=None, low=None, high=None, invalid=verdict["invalid"])


def _of_set(
    plan: StoredPlan,
    bound: BoundMetric,
    samples: Sequence[tuple[StoredSample, ValueRow | None]],
    told: dict[str, Any] | None,
    flags: dict[str, list[str]],
) -> Estimate:
    """The estimate of a `set` metric from what was stored of the row."""
    failures: Counter[str] = Counter()
    expected = len(samples)
    empty = Estimate(None, None, None, 0, expected, 0, plan.seeds, "", {})
    if told is None:
        for sample, row in samples:
            missing = "judge-unavailable" if bound.unavailable else "not-scored"
            name = row["refused"] if row is not None else missing if sample.key in flags else "not-generated"
            failures[name] += 1
        return replace(empty, failures=dict(failures))
    failures.update(told["failures"])
    noticed = Counter(flag for sample, _ in samples for flag in flags.get(sample.key, []))
    unmade = sum(sample.key not in flags for sample, _ in samples)
    if unmade:
        failures["not-generated"] += unmade
    return replace(
        empty,
        value=told["value"],
        low=told["low"],
        high=told["high"],
        n_scored=told["scored"],
        n_items=len({sample.item for sample, _ in samples}),
        method=told["method"],
        failures=dict(sorted(failures.items())),
        flags=dict(sorted(noticed.items())) if told["scored"] else {},
        invalid=told["refused"],
        warnings=tuple(told["warnings"]),
        notes=told["notes"],
    )
