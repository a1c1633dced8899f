"""From per-item values to estimates with intervals: one for each variant and metric."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from calm_eval.keys import seed_from
from calm_eval.runs.database import Database
from calm_eval.runs.plan import Variant
from calm_eval.runs.plan_store import StoredPlan, StoredSample
from calm_eval.runs.score import BoundMetric, value_inputs
from calm_eval.stats.bootstrap import LEVEL, NAME, RESAMPLES, ratio_interval
from calm_eval.stats.estimate import Estimate

METHOD = f"{NAME} over items, {RESAMPLES} resamples, {LEVEL:.0%}"


@dataclass(frozen=True)
class Cell:
    """One estimate and what it is of."""

    variant: Variant
    metric: BoundMetric
    estimate: Estimate


def aggregate(database: Database, plan: StoredPlan, metrics: Sequence[BoundMetric]) -> list[Cell]:
    """Every cell of a suite, in the order of its variants and metrics."""
    samples: dict[str, list[StoredSample]] = {}
    for sample in plan.samples:
        samples.setdefault(sample.variant, []).append(sample)
    flags = _flags(database)
    cells = []
    for bound in metrics:
        values = _values(database, bound)
        for variant in plan.variants:
            estimate = _estimate(plan, samples.get(variant.name, []), bound, values, flags)
            cells.append(Cell(variant, bound, estimate))
    order = {variant.name: place for place, variant in enumerate(plan.variants)}
    return sorted(cells, key=lambda cell: order[cell.variant.name])


def _values(database: Database, bound: BoundMetric) -> dict[tuple[str, str], tuple[float | None, float | None, str]]:
    rows = database.connection.execute("SELECT * FROM item_values WHERE metric = ?", [bound.fingerprint])
    return {(row["sample"], row["inputs"]): (row["numerator"], row["denominator"], row["refused"]) for row in rows}


def _flags(database: Database) -> dict[str, list[str]]:
    return {
        row["key"]: json.loads(row["flags"]) for row in database.connection.execute("SELECT key, flags FROM samples")
    }


def _estimate(
    plan: StoredPlan,
    samples: Sequence[StoredSample],
    bound: BoundMetric,
    values: dict[tuple[str, str], tuple[float | None, float | None, str]],
    flags: dict[str, list[str]],
) -> Estimate:
    tops: dict[str, float] = {}
    bottoms: dict[str, float] = {}
    failures: Counter[str] = Counter()
    noticed: Counter[str] = Counter()
    scored = 0
    for sample in samples:
        found = values.get((sample.key, value_inputs(plan, sample, bound.metric)))
        if found is None:
            failures["not-scored" if sample.key in flags else "not-generated"] += 1
            continue
        numerator, denominator, refused = found
        if numerator is None or denominator is None:
            failures[refused or "no-value"] += 1
            continue
        scored += 1
        noticed.update(flags.get(sample.key, []))
        tops[sample.item] = tops.get(sample.item, 0.0) + numerator
        bottoms[sample.item] = bottoms.get(sample.item, 0.0) + denominator
    total = sum(bottoms.values())
    top, bottom = list(tops.values()), list(bottoms.values())
    seed = seed_from(bound.fingerprint, plan.items_digest)
    interval = ratio_interval(top, bottom, seed=seed) if scored else None
    return Estimate(
        value=sum(top) / total if total > 0 else None,
        low=interval[0] if interval else None,
        high=interval[1] if interval else None,
        n_scored=scored,
        n_expected=len(samples),
        n_items=len(tops),
        seeds=plan.seeds,
        method=METHOD,
        failures=dict(sorted(failures.items())),
        flags=dict(sorted(noticed.items())),
    )
