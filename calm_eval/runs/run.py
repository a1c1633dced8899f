"""A run folder, read back: samples, values and the summary as pandas tables."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from calm_eval.data.item import Item
from calm_eval.runs.aggregate import Cell, aggregate
from calm_eval.runs.database import FILE_NAME, Database, storage_errors
from calm_eval.runs.drift import Curve, drift_curves
from calm_eval.runs.pick import Pick, picks, tuning_cells
from calm_eval.runs.plan_store import StoredPlan, load_plans
from calm_eval.runs.values import value_rows

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Run:
    """What a run holds. `unavailable` names systems and judges that the call that made it could not use."""

    folder: Path
    unavailable: dict[str, str] = field(default_factory=dict)
    _estimates: dict[object, list[tuple[StoredPlan, list[Cell]]]] = field(
        default_factory=dict, repr=False, compare=False
    )
    """Those of the store as it is, by its state; at most one entry."""

    @contextlib.contextmanager
    def _database(self) -> Iterator[Database]:
        database = Database(self.folder, write=False)
        try:
            with storage_errors(self.folder):
                yield database
        finally:
            database.close()

    def _read(self, query: str) -> pd.DataFrame:
        import pandas as pd

        with self._database() as database:
            return pd.read_sql_query(query, database.connection)

    def samples(self) -> pd.DataFrame:
        """One row for each planned sample: suite, variant, item, seed, audio path, failure, flags, timing."""
        table = self._read(
            "SELECT planned.suite, planned.variant, planned.item, planned.seed, samples.* FROM planned "
            "LEFT JOIN samples ON samples.key = planned.sample ORDER BY planned.rowid"
        )
        table = table.loc[:, ~table.columns.duplicated()]
        known = table["audio"].notna()
        table["path"] = None
        table.loc[known, "path"] = [
            str(self.folder / "audio" / key[:2] / f"{key}.flac") for key in table["audio"][known]
        ]
        return table

    def values(self) -> pd.DataFrame:
        """One row for each planned sample and metric: numerator, denominator, value, parts (JSON), refused, flags."""
        import pandas as pd

        with self._database() as database:
            return pd.DataFrame([row for plan in load_plans(database) for row in value_rows(database, plan)])

    def invocations(self) -> pd.DataFrame:
        """One row for each call that worked on this run, with its wall, model and judge seconds."""
        return self._read("SELECT * FROM invocations ORDER BY id")

    def cells(self) -> list[tuple[StoredPlan, list[Cell]]]:
        """Every estimate, suite by suite, computed from the stored values, without the tuning items.

        Needs no judge and no metric's package.
        """
        state = self._state()
        if state not in self._estimates:
            with self._database() as database:
                plans = [plan.scored for plan in load_plans(database)]
                found = [(plan, aggregate(database, plan)) for plan in plans]
            self._estimates.clear()
            self._estimates[state] = found
        return list(self._estimates[state])

    def _state(self) -> object:
        """What changes when the store does. Whoever writes in between is seen by the next call."""
        files = [self.folder / name for name in (FILE_NAME, f"{FILE_NAME}-wal")]
        found = [path.stat() for path in files if path.exists()]
        return tuple((one.st_mtime_ns, one.st_size) for one in found)

    def items(self, suite: str) -> list[Item]:
        """The planned items of a suite in their order, tuning items among them. Raises KeyError for another suite."""
        with self._database() as database:
            plans = {plan.suite.name: plan for plan in load_plans(database)}
            return list(plans[suite].items.values())

    def picks(self) -> list[Pick]:
        """The best row of each system with several samplings, chosen on the tuning items by the suite's `pick`."""
        return [pick for suite, cells in self.tuning().items() for pick in picks(suite, cells)]

    def tuning(self) -> dict[str, list[Cell]]:
        """By suite, what `picks` chooses by: the estimates of the suite's `pick` on the tuning items of every row."""
        with self._database() as database:
            return {plan.suite.name: tuning_cells(database, plan) for plan in load_plans(database)}

    def drift(self) -> list[Curve]:
        """The curves of metrics that the suite measures in windows (`drift:`), row by row."""
        with self._database() as database:
            return [curve for plan in load_plans(database) for curve in drift_curves(database, plan.scored)]

    def summary(self) -> pd.DataFrame:
        """One row for each estimate; the columns of `summary.csv`."""
        return summary_table(self.cells())


def summary_table(sections: Sequence[tuple[StoredPlan, Sequence[Cell]]]) -> pd.DataFrame:
    """The summary of estimates that are computed already."""
    import pandas as pd

    rows = [
        {
            "suite": plan.suite.name,
            "system": cell.variant.system,
            "variant": cell.variant.name,
            "metric": cell.metric.spec.name,
            "preset": cell.metric.preset,
            "value": cell.estimate.value,
            "low": cell.estimate.low,
            "high": cell.estimate.high,
            "n_scored": cell.estimate.n_scored,
            "n_expected": cell.estimate.n_expected,
            "seeds": cell.estimate.seeds,
            "fingerprint": cell.metric.fingerprint,
            "suite_version": plan.suite.version,
            "items_digest": plan.items_digest,
            "reference_set_digest": plan.reference_set_digest if plan.reference_set else None,
            "method": cell.estimate.method or None,
            "invalid": cell.estimate.invalid,
            "warnings": json.dumps(list(cell.estimate.warnings), ensure_ascii=False),
            "notes": json.dumps(dict(cell.estimate.notes), ensure_ascii=False),
            "failures": json.dumps(dict(cell.estimate.failures)),
            "flags": json.dumps(dict(cell.estimate.flags)),
        }
        for plan, cells in sections
        for cell in cells
    ]
    return pd.DataFrame(rows)


def load_run(folder: str | Path) -> Run:
    """Open a run folder for reading. Raises StoreError when there is no run or it is from another version."""
    path = Path(folder)
    Database(path, write=False).close()
    return Run(path)
