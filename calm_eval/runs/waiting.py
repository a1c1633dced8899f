"""Which samples are still to be made, before anything is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

from calm_eval.runs.database import Database
from calm_eval.runs.plan import SuitePlan
from calm_eval.runs.plan_store import StoredPlan, StoredSample
from calm_eval.runs.samples import SampleStore


@dataclass(frozen=True)
class Waiting:
    """The samples that are to be made, suite by suite; one that two suites share is of the first."""

    by_suite: Mapping[str, Sequence[StoredSample]]
    adopted: frozenset[str] = frozenset()
    """Keys of samples that are not here yet either, and will be taken from another run."""

    def of(self, suite: str) -> Sequence[StoredSample]:
        """The samples to make for one suite."""
        return self.by_suite.get(suite, ())

    @property
    def keys(self) -> Set[str]:
        """All that will be new in the run, made or adopted."""
        return {one.key for samples in self.by_suite.values() for one in samples} | self.adopted


NOTHING = Waiting({})


def as_stored(plan: SuitePlan) -> StoredPlan:
    """A plan as it reads when it was stored."""
    return StoredPlan(
        suite=plan.suite,
        items={item.id: item for item in plan.items},
        items_digest=plan.items_digest,
        n_items_in_suite=plan.n_items_in_suite,
        seeds=plan.seeds,
        metrics=plan.metrics,
        variants=plan.variants,
        samples=[StoredSample(one.variant.name, one.item.id, one.seed, one.key) for one in plan.samples],
        reference_set={clip.id: clip.reference for clip in plan.reference_set if clip.reference is not None},
        reference_set_digest=plan.reference_set_digest,
    )


def to_make(
    plans: Sequence[StoredPlan], samples: SampleStore | None, reuse: Sequence[Path] = (), *, retry_failed: bool = False
) -> Waiting:
    """What the generate stage will make: not there, in no run of `reuse`, and of a system that can start."""
    found: dict[str, list[StoredSample]] = {}
    seen: set[str] = set()
    adopted: set[str] = set()
    for plan in plans:
        can_start = {row.name for row in plan.variants if row.unavailable is None}
        wanted = {one.key: one for one in plan.samples if one.variant in can_start and one.key not in seen}
        seen |= wanted.keys()
        if samples is not None:
            there = samples.finished(list(wanted), retry_failed=retry_failed)
            wanted = {key: one for key, one in wanted.items() if key not in there}
        for other in reuse:
            elsewhere = _held_by(other, list(wanted))
            wanted = {key: one for key, one in wanted.items() if key not in elsewhere}
            adopted |= elsewhere
        found[plan.suite.name] = list(wanted.values())
    return Waiting(found, frozenset(adopted))


def _held_by(folder: Path, keys: list[str]) -> set[str]:
    database = Database(folder, write=False)
    try:
        store = SampleStore(database)
        rows = {key: store.get(key) for key in keys}
        return {key for key, row in rows.items() if row and row["audio"] and store.audio_path(row["audio"]).is_file()}
    finally:
        database.close()
