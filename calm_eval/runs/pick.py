"""The best sampling of each system, picked on the tuning items so that the choice does not flatter what is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from calm_eval.metrics.bound import BoundMetric
from calm_eval.runs.aggregate import Cell, aggregate
from calm_eval.runs.database import Database
from calm_eval.runs.plan_store import StoredPlan
from calm_eval.runs.rows import Variant


@dataclass(frozen=True)
class Pick:
    """One system's best row. `value` is its estimate on `n_items` tuning items, the best of `among` rows."""

    suite: str
    variant: Variant
    metric: BoundMetric
    value: float
    n_items: int
    among: int


def picks(suite: str, cells: Sequence[Cell]) -> list[Pick]:
    """One pick for each system that is no control, in the order of the plan, from the suite's `tuning_cells`.

    None for a suite without `pick` or without tuning items, and none of a system whose rows have no value there.
    """
    systems = dict.fromkeys(cell.variant.system for cell in cells if not cell.variant.control)
    found = [best([cell for cell in cells if cell.variant.system == system]) for system in systems]
    return [
        Pick(suite, cell.variant, cell.metric, cell.estimate.value, cell.estimate.n_items, among)
        for cell, among in found
        if cell is not None and cell.estimate.value is not None
    ]


def tuning_cells(database: Database, plan: StoredPlan) -> list[Cell]:
    """The estimates that are picked by: the suite's `pick` on the tuning items of every row."""
    tuning = plan.tuning
    by = next((bound for bound in plan.metrics if bound.spec.name == plan.suite.pick), None)
    return aggregate(database, replace(tuning, metrics=[by])) if tuning is not None and by is not None else []


def best(cells: Sequence[Cell]) -> tuple[Cell | None, int]:
    """The cell of one metric with the best value, the first of equal ones, and how many have a value at all.

    A row that failed somewhere is not left out: each metric says itself what a failure costs.
    """
    valued = [(cell.estimate.value, cell) for cell in cells if cell.estimate.value is not None]
    if not valued:
        return None, 0
    higher = valued[0][1].metric.spec.higher_is_better
    found = (max if higher else min)(valued, key=lambda one: one[0])
    return found[1], len(valued)
