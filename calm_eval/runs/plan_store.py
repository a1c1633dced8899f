"""The plan as it lies in the run folder, so that every stage can run alone from what the one before left."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from calm_eval.data.item import AudioRef, Item, items_digest
from calm_eval.errors import StoreError
from calm_eval.metrics.bound import BoundMetric
from calm_eval.runs.database import Database
from calm_eval.runs.plan import SuitePlan
from calm_eval.runs.rows import Variant
from calm_eval.specs.suite import SuiteSpec


@dataclass(frozen=True)
class StoredSample:
    """One planned sample by names and key."""

    variant: str
    item: str
    seed: int
    key: str


@dataclass(frozen=True)
class StoredPlan:
    """A suite's plan read back."""

    suite: SuiteSpec
    items: dict[str, Item]
    items_digest: str
    n_items_in_suite: int
    seeds: int
    metrics: list[BoundMetric]
    variants: list[Variant]
    samples: list[StoredSample]
    reference_set: dict[str, AudioRef] = field(default_factory=dict)
    reference_set_digest: str = ""
    n_tuning: int = 0
    """How many planned items are left out here because samplings are picked on them."""

    @property
    def scored(self) -> StoredPlan:
        """The plan without its tuning items: what tables are of. The plan itself where there are none."""
        return self._only(tuning=False) if any(item.tuning for item in self.items.values()) else self

    @property
    def tuning(self) -> StoredPlan | None:
        """The plan of the tuning items alone, on which the best row of each system is picked; None without them."""
        return self._only(tuning=True) if any(item.tuning for item in self.items.values()) else None

    def _only(self, *, tuning: bool) -> StoredPlan:
        kept = {name: item for name, item in self.items.items() if item.tuning is tuning}
        return replace(
            self,
            items=kept,
            items_digest=items_digest(kept.values(), self.suite.task),
            samples=[one for one in self.samples if one.item in kept],
            n_tuning=0 if tuning else len(self.items) - len(kept),
            seeds=1 if tuning else self.seeds,
        )


def save_plan(database: Database, plan: SuitePlan) -> None:
    """Replace what the run holds of this suite by this plan; samples and judgements stay."""
    suite = plan.suite.name
    about = {
        "spec": plan.suite.model_dump(),
        "items_digest": plan.items_digest,
        "reference_set_digest": plan.reference_set_digest,
        "n_items_in_suite": plan.n_items_in_suite,
        "seeds": plan.seeds,
    }
    connection = database.connection
    with connection:
        for table in ("items", "reference_sets", "variants", "planned"):
            connection.execute(f"DELETE FROM {table} WHERE suite = ?", [suite])
        connection.execute("INSERT OR REPLACE INTO suites VALUES (?, ?)", [suite, json.dumps(about)])
        connection.executemany(
            "INSERT INTO items VALUES (?, ?, ?, ?)",
            [(suite, place, item.id, json.dumps(_item_json(item))) for place, item in enumerate(plan.items)],
        )
        connection.executemany(
            "INSERT INTO reference_sets VALUES (?, ?, ?, ?)",
            [
                (suite, place, clip.id, json.dumps(_audio_json(clip.reference)))
                for place, clip in enumerate(plan.reference_set)
            ],
        )
        _insert_metrics(connection, suite, plan.metrics)
        connection.executemany(
            "INSERT INTO variants VALUES (?, ?, ?, ?)",
            [(suite, place, row.name, json.dumps(row.json())) for place, row in enumerate(plan.variants)],
        )
        connection.executemany(
            "INSERT INTO planned VALUES (?, ?, ?, ?, ?)",
            [(suite, one.variant.name, one.item.id, one.seed, one.key) for one in plan.samples],
        )


def save_metrics(database: Database, suite: str, metrics: Sequence[BoundMetric]) -> None:
    """Replace the metrics of a suite by what they were bound to when it was scored last."""
    with database.connection:
        _insert_metrics(database.connection, suite, metrics)


def _insert_metrics(connection: sqlite3.Connection, suite: str, metrics: Sequence[BoundMetric]) -> None:
    connection.execute("DELETE FROM suite_metrics WHERE suite = ?", [suite])
    connection.executemany(
        "INSERT INTO suite_metrics VALUES (?, ?, ?)",
        [(suite, place, json.dumps(one.json())) for place, one in enumerate(metrics)],
    )


def load_plans(database: Database) -> list[StoredPlan]:
    """The plans of all suites in the run. Raises StoreError when there is none."""
    rows = database.connection.execute("SELECT name, json FROM suites ORDER BY rowid").fetchall()
    if not rows:
        raise StoreError(f"{database.folder}: nothing is planned here yet; use `calm-eval run`")
    return [_load(database, row["name"], json.loads(row["json"])) for row in rows]


def _load(database: Database, suite: str, about: dict[str, Any]) -> StoredPlan:
    connection = database.connection
    items = connection.execute("SELECT json FROM items WHERE suite = ? ORDER BY position", [suite])
    metrics = connection.execute("SELECT json FROM suite_metrics WHERE suite = ? ORDER BY position", [suite])
    variants = connection.execute("SELECT json FROM variants WHERE suite = ? ORDER BY position", [suite])
    planned = connection.execute("SELECT * FROM planned WHERE suite = ? ORDER BY rowid", [suite])
    clips = connection.execute("SELECT id, json FROM reference_sets WHERE suite = ? ORDER BY position", [suite])
    read = [_item(json.loads(row["json"])) for row in items]
    return StoredPlan(
        suite=SuiteSpec.model_validate(about["spec"]),
        items={item.id: item for item in read},
        items_digest=about["items_digest"],
        n_items_in_suite=about["n_items_in_suite"],
        seeds=about["seeds"],
        metrics=[BoundMetric.from_json(json.loads(row["json"])) for row in metrics],
        variants=[_variant(json.loads(row["json"])) for row in variants],
        samples=[StoredSample(row["variant"], row["item"], row["seed"], row["sample"]) for row in planned],
        reference_set={row["id"]: ref for row in clips if (ref := _audio(json.loads(row["json"]))) is not None},
        reference_set_digest=about["reference_set_digest"],
    )


def _variant(told: dict[str, Any]) -> Variant:
    unavailable = told.pop("unavailable")
    return Variant(**told, unavailable=tuple(unavailable) if unavailable else None)


def _audio_json(ref: AudioRef | None) -> dict[str, str] | None:
    return {"path": str(ref.path.resolve()), "identity": ref.identity} if ref else None


def _audio(told: dict[str, str] | None) -> AudioRef | None:
    return AudioRef(Path(told["path"]), told["identity"]) if told else None


def _item_json(item: Item) -> dict[str, Any]:
    plain = {"id": item.id, "text": item.text, "speaker": item.speaker, "duration": item.duration}
    return {**plain, "tags": list(item.tags), "audios": {name: _audio_json(ref) for name, ref in item.audios.items()}}


def _item(told: dict[str, Any]) -> Item:
    audios = {name: _audio(ref) for name, ref in told.pop("audios").items()}
    return Item(**{**told, **audios, "tags": tuple(told["tags"])})
