"""Which entries of a column are best: the best value, those not distinguishable from it, and the best of the others.

For a metric with a value for each item, two rows are distinguishable when the paired sign-flip test says so after
Holm's adjustment over all rows that stand against the best one. For a metric of the whole set there is no such test:
rows whose 95 % intervals do not meet are taken as distinguishable, which misses some differences and invents few.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from calm_eval.metrics.bound import BoundMetric
from calm_eval.reports.tables.model import Mark
from calm_eval.runs.aggregate import Cell
from calm_eval.runs.pick import best
from calm_eval.stats.holm import holm
from calm_eval.stats.verdict import ALPHA, intervals_meet

Test = Callable[[BoundMetric, str, str], float | None]
"""The p-value of two variants by name, None where the metric has no value for each item of both."""


def marks(cells: Sequence[Cell], test: Test) -> dict[str, Mark]:
    """By variant, from the cells of one metric; controls and rows without a value have none.

    Where no row can be told from the best, none has a mark: bold everywhere would say nothing.
    """
    valued = [cell for cell in cells if cell.estimate.value is not None and not cell.variant.control]
    top, among = best(valued)
    if top is None or among < 2:
        return {}
    others = [cell for cell in valued if cell is not top]
    tied = _tied(top, others, test)
    if len(tied) == len(others):
        return {}
    found: dict[str, Mark] = {top.variant.name: "best", **{cell.variant.name: "tied" for cell in tied}}
    second, _ = best([cell for cell in others if cell not in tied])
    assert second is not None
    return found | {second.variant.name: "second"}


def _tied(top: Cell, others: Sequence[Cell], test: Test) -> list[Cell]:
    if top.metric.spec.kind == "set":
        return [cell for cell in others if intervals_meet(top.estimate, cell.estimate)]
    ps = [test(top.metric, top.variant.name, cell.variant.name) for cell in others]
    adjusted = iter(holm([p for p in ps if p is not None]))
    # What cannot be tested cannot be told apart.
    return [cell for cell, p in zip(others, ps, strict=True) if p is None or next(adjusted) >= ALPHA]
