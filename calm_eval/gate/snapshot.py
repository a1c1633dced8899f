"""What a gate needs to know of a run, as plain data: a baseline is one that was accepted and written down.

A run has many rows and audio; a snapshot keeps of the tables' items what was measured, by which metrics, from what.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from calm_eval import __version__
from calm_eval.keys import SHORT, digest
from calm_eval.metrics.bound import BoundMetric
from calm_eval.runs.aggregate import aggregate
from calm_eval.runs.database import Database, storage_errors
from calm_eval.runs.environment import last_environment
from calm_eval.runs.order import command_of
from calm_eval.runs.paired import Values
from calm_eval.runs.plan_store import StoredPlan, load_plans
from calm_eval.runs.run import Run
from calm_eval.runs.values import planned_values

Place = tuple[str, int]
"""An item and a seed."""


@dataclass(frozen=True)
class Sound:
    """What was made for one item and seed: the identity of its audio, or the name of the failure."""

    audio: str | None
    failure: str | None


@dataclass(frozen=True)
class Value:
    """What a metric said of one item and seed: numerator over denominator, or the name of why there is none."""

    numerator: float | None
    denominator: float | None
    refused: str | None = None


@dataclass(frozen=True)
class Measured:
    """A row by a metric. `values` are empty for a metric of the whole set; `value`, `low`, `high` are the tables'."""

    value: float | None
    low: float | None
    high: float | None
    invalid: str | None
    values: Mapping[Place, Value] = field(default_factory=dict)

    def parts(self, seeds: int | None = None) -> Values:
        """Numerator and denominator of what has a value, of the first `seeds` where they are named."""
        return {
            place: (one.numerator, one.denominator)
            for place, one in self.values.items()
            if one.numerator is not None and one.denominator is not None and (seeds is None or place[1] < seeds)
        }


@dataclass(frozen=True)
class RowSnapshot:
    """A row: its system's fingerprint, its sampling, what was made, and by metric fingerprint what was measured."""

    system: str
    fingerprint: str
    sampling: Mapping[str, Any]
    planned: int
    sounds: Mapping[Place, Sound]
    measured: Mapping[str, Measured]


@dataclass(frozen=True)
class SuiteSnapshot:
    """A suite: `items` maps ids of the tables' items to their identity."""

    version: int
    task: str
    items: Mapping[str, str]
    reference_set_digest: str | None
    seeds: int
    metrics: tuple[BoundMetric, ...]
    rows: Mapping[str, RowSnapshot]

    @property
    def digest(self) -> str:
        """Identity of what its numbers are of: version, items, seeds, reference set."""
        told = [self.version, sorted(self.items.items()), self.seeds, self.reference_set_digest]
        return digest(told)[:SHORT]


@dataclass(frozen=True)
class Snapshot:
    """A run by its suites. `origin` is the identity of the call that began it, empty where none came to its end."""

    calm_eval: str
    command: str
    environment: Mapping[str, Any]
    origin: str
    suites: Mapping[str, SuiteSnapshot]


def snapshot_of(run: Run, rows: Collection[tuple[str, str]] | None = None) -> Snapshot:
    """The snapshot of a run, finished or not; of these (suite, row) alone where they are named. Raises StoreError."""
    database = Database(run.folder, write=False)
    try:
        with storage_errors(run.folder):
            plans = [_of_rows(plan.scored, rows) for plan in load_plans(database)]
            return Snapshot(
                calm_eval=__version__,
                command=command_of(database),
                environment=last_environment(database),
                origin=_origin(database),
                suites={plan.suite.name: _suite(database, plan) for plan in plans},
            )
    finally:
        database.close()


def _of_rows(plan: StoredPlan, rows: Collection[tuple[str, str]] | None) -> StoredPlan:
    if rows is None:
        return plan
    kept = [one for one in plan.variants if (plan.suite.name, one.name) in rows]
    names = {one.name for one in kept}
    return replace(plan, variants=kept, samples=[one for one in plan.samples if one.variant in names])


def _origin(database: Database) -> str:
    # Calls that end in the same second still differ by how long they took.
    query = "SELECT command, began, wall_seconds FROM invocations ORDER BY id LIMIT 1"
    row = database.connection.execute(query).fetchone()
    return "" if row is None else digest(list(row))


def _suite(database: Database, plan: StoredPlan) -> SuiteSnapshot:
    task = plan.suite.task
    cells = {(cell.variant.name, cell.metric.fingerprint): cell.estimate for cell in aggregate(database, plan)}
    values = {bound.fingerprint: _values(database, plan, bound) for bound in plan.metrics}
    sounds = _sounds(database, plan)
    rows = {}
    for row in plan.variants:
        measured = {
            bound.fingerprint: Measured(
                *((one := cells[row.name, bound.fingerprint]).value, one.low, one.high, one.invalid),
                values=values[bound.fingerprint].get(row.name, {}),
            )
            for bound in plan.metrics
            if row.measured_by(bound.spec)
        }
        planned = sum(sample.variant == row.name for sample in plan.samples)
        rows[row.name] = RowSnapshot(
            row.system, row.fingerprint, dict(row.sampling), planned, sounds.get(row.name, {}), measured
        )
    return SuiteSnapshot(
        version=plan.suite.version,
        task=task,
        items={name: item.digest(task) for name, item in plan.items.items()},
        reference_set_digest=plan.reference_set_digest if plan.reference_set else None,
        seeds=plan.seeds,
        metrics=tuple(plan.metrics),
        rows=rows,
    )


def _values(database: Database, plan: StoredPlan, bound: BoundMetric) -> dict[str, dict[Place, Value]]:
    found: dict[str, dict[Place, Value]] = {}
    if bound.spec.kind == "set":
        return found
    for sample, row in planned_values(database, plan, bound):
        if row is not None:
            value = Value(row["numerator"], row["denominator"], row["refused"])
            found.setdefault(sample.variant, {})[sample.item, sample.seed] = value
    return found


def _sounds(database: Database, plan: StoredPlan) -> dict[str, dict[Place, Sound]]:
    rows = database.connection.execute("SELECT key, audio, failure FROM samples")
    made = {row["key"]: Sound(row["audio"], row["failure"]) for row in rows}
    found: dict[str, dict[Place, Sound]] = {}
    for sample in plan.samples:
        if sample.key in made:
            found.setdefault(sample.variant, {})[sample.item, sample.seed] = made[sample.key]
    return found


def snapshot_json(snapshot: Snapshot) -> dict[str, Any]:
    """All but what was made and measured sample by sample, as JSON values."""
    return {
        "calm_eval": snapshot.calm_eval,
        "command": snapshot.command,
        "environment": dict(snapshot.environment),
        "origin": snapshot.origin,
        "suites": {name: _suite_json(suite) for name, suite in snapshot.suites.items()},
    }


def _suite_json(suite: SuiteSnapshot) -> dict[str, Any]:
    return {
        "version": suite.version,
        "task": suite.task,
        "seeds": suite.seeds,
        "reference_set_digest": suite.reference_set_digest,
        "items": dict(suite.items),
        "metrics": [one.json() for one in suite.metrics],
        "rows": {
            name: {
                "system": row.system,
                "fingerprint": row.fingerprint,
                "sampling": dict(row.sampling),
                "planned": row.planned,
                "estimates": {
                    metric: {"value": one.value, "low": one.low, "high": one.high, "invalid": one.invalid}
                    for metric, one in row.measured.items()
                },
            }
            for name, row in suite.rows.items()
        },
    }


def canonical(told: Mapping[str, Any]) -> str:
    """JSON for a file that people review: sorted, indented, one line a value."""
    return json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
