"""Two rows of one suite compared on the items and seeds that both have a value of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calm_eval.keys import seed_from
from calm_eval.metrics.bound import BoundMetric
from calm_eval.runs.database import Database
from calm_eval.runs.plan_store import StoredPlan
from calm_eval.runs.values import planned_values
from calm_eval.stats.paired import PairedDifference, paired_difference


class PairedRows:
    """The stored values of a suite's rows, pair by pair. `plan` says which items: those of the tables, or others."""

    def __init__(self, database: Database, plan: StoredPlan) -> None:
        self._database = database
        self._plan = plan

    def compare(self, bound: BoundMetric, first: str, second: str) -> PairedDifference | None:
        """First variant less second by a metric that has a value for each item.

        None for a metric of kind `set` and where no item has a value in both rows. A sample that one row lacks is left
        out of the other too, so that the difference is never one of items.
        """
        if bound.spec.kind == "set":
            return None
        samples = [one for one in self._plan.samples if one.variant in (first, second)]
        found: dict[str, dict[tuple[str, int], tuple[float, float]]] = {first: {}, second: {}}
        for sample, row in planned_values(self._database, replace(self._plan, samples=samples), bound):
            if row is not None and row["numerator"] is not None:
                found[sample.variant][sample.item, sample.seed] = row["numerator"], row["denominator"]
        both = found[first].keys() & found[second].keys()
        items = {name: place for place, name in enumerate(sorted({item for item, _ in both}))}
        # Row, numerator or denominator, item, seed; a seed without a value is 0 over 0.
        parts = np.zeros((2, 2, len(items), self._plan.seeds))
        for place, name in enumerate((first, second)):
            for item, seed in both:
                parts[place, :, items[item], seed] = found[name][item, seed]
        mine, others = parts
        seed = seed_from("paired", bound.fingerprint, self._plan.items_digest)
        return paired_difference((mine[0], mine[1]), (others[0], others[1]), seed=seed)
