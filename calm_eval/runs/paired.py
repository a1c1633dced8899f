"""Two rows of one suite compared on the items and seeds that both have a value of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calm_eval.keys import seed_from
from calm_eval.metrics.bound import BoundMetric
from calm_eval.runs.database import Database
from calm_eval.runs.plan_store import StoredPlan
from calm_eval.runs.values import planned_values
from calm_eval.stats.paired import PairedDifference, paired_difference, paired_p

Parts = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Numerators and denominators of one row, [items, seeds]."""

Values = dict[tuple[str, int], tuple[float, float]]
"""Numerator and denominator by item and seed."""


def paired_parts(mine: Values, others: Values, seeds: int) -> tuple[Parts, Parts]:
    """The items and seeds that both rows have, in the same places; a seed that either lacks is 0 over 0 in both."""
    both = mine.keys() & others.keys()
    items = {name: place for place, name in enumerate(sorted({item for item, _ in both}))}
    # Row, numerator or denominator, item, seed.
    parts = np.zeros((2, 2, len(items), seeds))
    for place, values in enumerate((mine, others)):
        for item, seed in both:
            parts[place, :, items[item], seed] = values[item, seed]
    return (parts[0, 0], parts[0, 1]), (parts[1, 0], parts[1, 1])


class PairedRows:
    """The stored values of a suite's rows, pair by pair. `plan` says which items: those of the tables, or others."""

    def __init__(self, database: Database, plan: StoredPlan) -> None:
        self._database = database
        self._plan = plan
        self._read: dict[str, dict[str, Values]] = {}

    def compare(self, bound: BoundMetric, first: str, second: str) -> PairedDifference | None:
        """First variant less second by a metric that has a value for each item.

        None for a metric of kind `set` and where no item has a value in both rows. A sample that one row lacks is left
        out of the other too, so that the difference is never one of items.
        """
        parts = self._parts(bound, first, second)
        return None if parts is None else paired_difference(*parts, seed=self._seed(bound))

    def p(self, bound: BoundMetric, first: str, second: str) -> float | None:
        """The p-value of `compare` without its interval, which takes the time; None where there is none."""
        parts = self._parts(bound, first, second)
        return None if parts is None else paired_p(*parts, seed=self._seed(bound))

    def values(self, bound: BoundMetric) -> dict[str, Values]:
        """By row, what was measured of each item and seed that has a value; read from the store once."""
        if bound.fingerprint not in self._read:
            found: dict[str, Values] = {}
            for sample, row in planned_values(self._database, self._plan, bound):
                if row is not None and row["numerator"] is not None:
                    mine = found.setdefault(sample.variant, {})
                    mine[sample.item, sample.seed] = row["numerator"], row["denominator"]
            self._read[bound.fingerprint] = found
        return self._read[bound.fingerprint]

    def by_item(self, bound: BoundMetric) -> dict[str, dict[str, float]]:
        """By row and item, the sums over seeds divided; an item without a positive denominator is left out."""
        if bound.spec.kind == "set":
            return {}
        found: dict[str, dict[str, float]] = {}
        for row, values in self.values(bound).items():
            sums: dict[str, tuple[float, float]] = {}
            for (item, _), (top, bottom) in values.items():
                before = sums.get(item, (0.0, 0.0))
                sums[item] = before[0] + top, before[1] + bottom
            found[row] = {item: top / bottom for item, (top, bottom) in sums.items() if bottom > 0}
        return found

    def _seed(self, bound: BoundMetric) -> int:
        return seed_from("paired", bound.fingerprint, self._plan.items_digest)

    def _parts(self, bound: BoundMetric, first: str, second: str) -> tuple[Parts, Parts] | None:
        if bound.spec.kind == "set":
            return None
        found = self.values(bound)
        return paired_parts(found.get(first, {}), found.get(second, {}), self._plan.seeds)
