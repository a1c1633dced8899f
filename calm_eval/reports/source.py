"""A suite of a run, as tables and figures need it: its plan, its estimates, and its rows item by item."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from calm_eval.errors import InputError
from calm_eval.metrics.bound import BoundMetric
from calm_eval.runs.aggregate import Cell
from calm_eval.runs.database import Database, storage_errors
from calm_eval.runs.order import command_of
from calm_eval.runs.paired import PairedRows
from calm_eval.runs.plan_store import StoredPlan
from calm_eval.runs.rows import Variant
from calm_eval.runs.run import Run
from calm_eval.stats.paired import PairedDifference


class Pairs(Protocol):
    """Two rows of a suite by name, item by item; None for a metric without a value for each item."""

    def compare(self, bound: BoundMetric, first: str, second: str) -> PairedDifference | None:
        """The first less the second, with interval and p-value."""
        ...

    def p(self, bound: BoundMetric, first: str, second: str) -> float | None:
        """The p-value alone."""
        ...

    def by_item(self, bound: BoundMetric) -> Mapping[str, Mapping[str, float]]:
        """By row and item, the value over all seeds; empty for a metric without a value for each item."""
        ...


@dataclass(frozen=True)
class Source:
    """A suite of a run: its plan and estimates without the tuning items, and its rows item by item.

    `command` is the one that made the run.
    """

    plan: StoredPlan
    cells: Sequence[Cell]
    pairs: Pairs
    command: str = ""

    @cached_property
    def metrics(self) -> list[BoundMetric]:
        """The metrics of the estimates, in their order."""
        return list({cell.metric.fingerprint: cell.metric for cell in self.cells}.values())

    def metric(self, name: str) -> BoundMetric:
        """The first metric of a name. Raises InputError where the suite has none."""
        found = [one for one in self.metrics if one.spec.name == name]
        if not found:
            known = ", ".join(dict.fromkeys(one.spec.name for one in self.metrics))
            raise InputError(f"no metric '{name}' in {self.plan.suite.name}; metrics: {known}")
        return found[0]

    def cell(self, variant: Variant, bound: BoundMetric) -> Cell:
        """The estimate of a row and a metric."""
        return self._by_place[variant.name, bound.fingerprint]

    @cached_property
    def _by_place(self) -> dict[tuple[str, str], Cell]:
        return {(cell.variant.name, cell.metric.fingerprint): cell for cell in self.cells}


@contextlib.contextmanager
def opened(run: Run, suite: str | None = None) -> Iterator[tuple[list[Source], Database]]:
    """The suites of a run, or the one of this name, and the store they read from while it is open.

    Raises InputError for a suite that the run has not, and StoreError.
    """
    suites = run.cells()
    names = [plan.suite.name for plan, _ in suites]
    if suite is not None and suite not in names:
        raise InputError(f"no suite '{suite}' in {run.folder}; suites: {', '.join(names) or 'none'}")
    database = Database(run.folder, write=False)
    try:
        with storage_errors(run.folder):
            command = command_of(database)
            shown = [one for one in suites if suite in (None, one[0].suite.name)]
            yield [Source(plan, cells, PairedRows(database, plan), command) for plan, cells in shown], database
    finally:
        database.close()
