"""Two runs held against each other: every row and metric that both have, paired by item where items have values.

Only what is comparable is compared: the same metric (fingerprint), the same row, and of each item the same parts. What
is left over is named with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from calm_eval.errors import InputError
from calm_eval.keys import seed_from
from calm_eval.metrics.bound import BoundMetric
from calm_eval.runs.aggregate import Cell
from calm_eval.runs.changes import Change, changes_of_environments, changes_of_plans
from calm_eval.runs.database import Database, storage_errors
from calm_eval.runs.paired import PairedRows, Parts, Values, paired_parts
from calm_eval.runs.plan_store import StoredPlan
from calm_eval.runs.run import Run
from calm_eval.runs.values import value_inputs
from calm_eval.stats.detectable import detectable_difference
from calm_eval.stats.estimate import Estimate
from calm_eval.stats.holm import holm
from calm_eval.stats.paired import PairedDifference, paired_difference
from calm_eval.stats.verdict import intervals_meet, verdict

Said = Literal["same", "better", "worse", "not distinguishable", "cannot be tested", "intervals meet", "apart"]
"""`same`: every value is. `intervals meet` and `apart` are of metrics of the whole set, which have no test."""


@dataclass(frozen=True)
class Compared:
    """One row and metric. The difference is after less before, `p` is adjusted within `family`.

    `detectable` is the difference that this comparison alone would find in four of five repetitions.
    """

    suite: str
    row: str
    metric: BoundMetric
    before: Estimate
    after: Estimate
    family: str
    difference: PairedDifference | None = None
    detectable: float | None = None
    p: float | None = None
    verdict: Said = "cannot be tested"


@dataclass(frozen=True)
class Comparison:
    """Everything that two runs have in common, what changed around it, and what could not be compared, with why."""

    before: Run
    after: Run
    changes: Sequence[Change]
    compared: Sequence[Compared]
    left_out: Sequence[tuple[str, str]]


def compare_runs(before: Run, after: Run) -> Comparison:
    """Compare by suite, row and metric. Raises InputError where the runs have no suite in common, or StoreError."""
    suites = [{plan.suite.name: (plan, cells) for plan, cells in run.cells()} for run in (before, after)]
    names = [name for name in suites[0] if name in suites[1]]
    if not names:
        told = " and ".join(", ".join(one) or "none" for one in suites)
        raise InputError(f"{before.folder} and {after.folder} have no suite in common: {told}")
    changes: list[Change] = []
    compared: list[Compared] = []
    left_out: list[tuple[str, str]] = []
    for name in dict.fromkeys([*suites[0], *suites[1]]):
        if name not in names:
            left_out.append((name, f"only in {(before if name in suites[0] else after).folder.name}"))
    databases = [Database(run.folder, write=False) for run in (before, after)]
    try:
        with storage_errors(before.folder), storage_errors(after.folder):
            for name in names:
                sides = [_Side(database, *suite[name]) for database, suite in zip(databases, suites, strict=True)]
                changes += changes_of_plans(sides[0].plan, sides[1].plan)
                found, missing = _of_suite(sides[0], sides[1])
                compared += found
                left_out += missing
            changes += changes_of_environments(*databases)
    finally:
        for database in databases:
            database.close()
    return Comparison(before, after, changes, _adjusted(compared), left_out)


class _Side:
    """One run's part of a suite."""

    def __init__(self, database: Database, plan: StoredPlan, cells: Sequence[Cell]) -> None:
        self.plan = plan
        self.pairs = PairedRows(database, plan)
        self.cells = {(cell.variant.name, cell.metric.fingerprint): cell for cell in cells}
        self.metrics = {(one.spec.name, one.preset): one for one in plan.metrics}

    def values(self, bound: BoundMetric, row: str) -> Values:
        return self.pairs.values(bound).get(row, {})

    def inputs(self, bound: BoundMetric) -> dict[str, str]:
        """By item, the identity of the parts that a metric needs."""
        one_each = {sample.item: sample for sample in self.plan.samples}
        return {item: value_inputs(self.plan, sample, bound.spec) for item, sample in one_each.items()}


def _of_suite(before: _Side, after: _Side) -> tuple[list[Compared], list[tuple[str, str]]]:
    suite = before.plan.suite.name
    found: list[Compared] = []
    missing: list[tuple[str, str]] = []
    for key, bound in before.metrics.items():
        name = f"{suite}: {key[0]} by {key[1]}"
        other = after.metrics.get(key)
        if other is None:
            missing.append((name, "not in the second run"))
        elif other.fingerprint != bound.fingerprint:
            missing.append((name, "another fingerprint: the two are different metrics"))
        elif bound.spec.kind == "set" and _sets(before) != _sets(after):
            missing.append((name, "a metric of the whole set, and items, seeds or reference set are others"))
        else:
            found += _of_metric(before, after, bound)
    missing += [
        (f"{suite}: {key[0]} by {key[1]}", "not in the first run") for key in after.metrics if key not in before.metrics
    ]
    return found, missing


def _sets(side: _Side) -> tuple[str, str, int]:
    return side.plan.items_digest, side.plan.reference_set_digest, side.plan.seeds


def _of_metric(before: _Side, after: _Side, bound: BoundMetric) -> list[Compared]:
    rows = [row.name for row in before.plan.variants if (row.name, bound.fingerprint) in after.cells]
    inputs, others = before.inputs(bound), after.inputs(bound)
    alike = {item for item, identity in inputs.items() if others.get(item) == identity}
    found = []
    for row in rows:
        cells = [side.cells[row, bound.fingerprint] for side in (before, after)]
        if any(cell.variant.unscored and not bound.spec.timing for cell in cells):
            continue
        one = Compared(
            before.plan.suite.name,
            row,
            bound,
            cells[0].estimate,
            cells[1].estimate,
            family="timing" if bound.spec.timing else bound.spec.kind,
        )
        if bound.spec.kind == "set":
            found.append(replace(one, verdict=_of_sets(one.before, one.after)))
        else:
            found.append(_paired(one, before, after, alike))
    return found


def _of_sets(before: Estimate, after: Estimate) -> Said:
    if before.value is None or after.value is None:
        return "cannot be tested"
    if before.value == after.value:
        return "same"
    if before.low is None or before.high is None or after.low is None or after.high is None:
        return "cannot be tested"
    return "intervals meet" if intervals_meet(before, after) else "apart"


def _paired(one: Compared, before: _Side, after: _Side, alike: set[str]) -> Compared:
    sides = [
        {key: value for key, value in side.values(one.metric, one.row).items() if key[0] in alike}
        for side in (before, after)
    ]
    if not sides[0].keys() & sides[1].keys():
        return one
    seeds = max(before.plan.seeds, after.plan.seeds)
    old, new = paired_parts(sides[0], sides[1], seeds)
    seed = seed_from("compare", one.metric.fingerprint, one.suite, one.row)
    difference = paired_difference(new, old, seed=seed)
    if difference is None:
        return one
    if _equal(old, new):
        return replace(one, difference=difference, detectable=0.0, verdict="same")
    return replace(one, difference=difference, detectable=detectable_difference(new, old))


def _equal(old: Parts, new: Parts) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(old, new, strict=True))


def _adjusted(compared: Sequence[Compared]) -> list[Compared]:
    """p-values by Holm within each suite and kind of metric, and the verdicts that follow."""
    families: dict[tuple[str, str], list[int]] = {}
    for place, one in enumerate(compared):
        if one.difference is not None and one.difference.p is not None and one.verdict != "same":
            families.setdefault((one.suite, one.family), []).append(place)
    found = list(compared)
    for places in families.values():
        tested = [result for place in places if (result := found[place].difference) is not None]
        adjusted = holm([result.p for result in tested if result.p is not None])
        for place, result, p in zip(places, tested, adjusted, strict=True):
            higher = found[place].metric.spec.higher_is_better
            found[place] = replace(found[place], p=p, verdict=verdict(result.difference, p, higher_is_better=higher))
    return found
