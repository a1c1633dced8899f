"""The plan: what will be generated and scored, known in full before any weight is loaded."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from calm_eval.data.item import Item, items_digest
from calm_eval.data.load import Progress as BuildProgress
from calm_eval.data.load import reference_set, suite_items
from calm_eval.errors import InputError
from calm_eval.keys import digest
from calm_eval.metrics.bound import BoundMetric, bind
from calm_eval.runs.rows import Variant, rows_of
from calm_eval.runs.samples import sample_key
from calm_eval.runs.watch import Stopwatch
from calm_eval.specs.suite import LoadedSuite, SuiteSpec
from calm_eval.specs.system import LoadedSystem, beside, load_system
from calm_eval.specs.systems_of_suite import SystemUse
from calm_eval.systems.engine import Conditions, Place
from calm_eval.systems.protocol import Value


@dataclass(frozen=True)
class PlannedSample:
    """One sample to make or to find: its key, and who it is."""

    key: str
    variant: Variant
    item: Item
    seed: int


@dataclass
class SuitePlan:
    """Everything planned for one suite; `systems` gives the way back from a variant to its file."""

    suite: SuiteSpec
    items: list[Item]
    n_items_in_suite: int
    seeds: int
    metrics: list[BoundMetric]
    variants: list[Variant]
    samples: list[PlannedSample]
    systems: dict[str, LoadedSystem]
    reference_set: list[Item] = field(default_factory=list)

    @property
    def items_digest(self) -> str:
        """Identity of the planned items, whatever their order."""
        return items_digest(self.items, self.suite.task)

    @property
    def reference_set_digest(self) -> str:
        """Identity of the reference set, whatever its order and its ids; that of no clip where there is none."""
        return digest(sorted(clip.reference.identity for clip in self.reference_set if clip.reference is not None))


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for beyond the suite: None means as the suite says."""

    systems: Sequence[str] | None = None
    limit: int | None = None
    full: bool = False
    seeds: int | None = None
    sweep: Mapping[str, Sequence[Value]] = field(default_factory=dict)


def plan_suite(
    suite: LoadedSuite,
    wishes: Wishes,
    conditions: Conditions,
    scratch: Path,
    watch: Stopwatch,
    progress: BuildProgress | None = None,
) -> SuitePlan:
    """Resolve items, systems and samplings, and key every sample. Loads no weights.

    Raises InputError; a system that cannot start becomes an unavailable row.
    """
    spec = suite.spec
    uses = spec.system_uses() if wishes.systems is None else [_use(spec, name) for name in wishes.systems]
    if not uses:
        raise InputError(f"{suite.path}: no systems; name some in the suite or with --systems")
    systems = [load_system(beside(suite.path, use.name)) for use in uses]
    doubled = {one.spec.name for one in systems if sum(other.spec.name == one.spec.name for other in systems) > 1}
    if doubled:
        raise InputError(f"two systems are called '{doubled.pop()}'; rename one of them")
    items = suite_items(suite, progress)
    limit = wishes.limit if wishes.limit is not None else spec.full_limit if wishes.full else spec.limit
    if limit is not None and limit < 1:
        raise InputError(f"--limit {limit}: at least one item is needed")
    chosen = items if limit is None else items[:limit]
    metrics = [bind(use) for use in spec.metric_uses()]
    clips = reference_set(suite, progress)
    _check_needs(suite, metrics, chosen, clips)
    planned = spec.full_seeds if wishes.full and spec.full_seeds is not None else spec.seeds
    seeds = wishes.seeds if wishes.seeds is not None else planned
    if seeds < 1:
        raise InputError(f"--seeds {seeds}: at least one seed is needed")
    variants: list[Variant] = []
    samples: list[PlannedSample] = []
    swept: set[tuple[str, Value]] = set()
    for number, (use, system) in enumerate(zip(uses, systems, strict=True)):
        place = Place(scratch / f"plan-{number}", log_file(scratch.parent, system.spec.name))
        around = {} if wishes.sweep else spec.sweep if use.sweep is None else use.sweep
        # Asking a system what it is starts its process: that time is the system's.
        with watch.mark("model"):
            rows = rows_of(system, chosen, spec.task, around, wishes.sweep, place, conditions)
        swept |= rows.taken
        taken = {row.name for row in variants}
        for row in rows.variants:
            if row.name in taken:
                raise InputError(f"system '{system.spec.name}': the row '{row.name}' is planned twice")
            variants.append(row)
            for seed, item in itertools.product(range(seeds), chosen):
                if item.tuning and not _picks(spec, row, seed):
                    continue
                key = sample_key(rows.origins[item.id], item.request_digest(spec.task), row.sampling, seed)
                samples.append(PlannedSample(key, row, item, seed))
    for name in wishes.sweep:
        if name not in {one for one, _ in swept}:
            raise InputError(f"--sweep {name}: no system of this run takes that parameter")
    # Another choice of systems, a system's own sweep, or one that cannot start may be why a value is not taken.
    whole = wishes.systems is None and not wishes.sweep and all(use.sweep is None for use in uses)
    if whole and all(row.unavailable is None for row in variants):
        _check_sweep(suite, swept)
    by_name = {system.spec.name: system for system in systems}
    return SuitePlan(spec, chosen, len(items), seeds, metrics, variants, samples, by_name, clips)


def _picks(spec: SuiteSpec, row: Variant, seed: int) -> bool:
    """Whether a sample of a tuning item serves to pick by: one each, and none of what is never picked."""
    return spec.pick is not None and not row.control and seed == 0


def _use(spec: SuiteSpec, name: str) -> SystemUse:
    """A system that the command line names, with the sweep that the suite gives it."""
    return next((use for use in spec.system_uses() if use.name == name), SystemUse(name=name))


def _check_sweep(suite: LoadedSuite, taken: Set[tuple[str, Value]]) -> None:
    """Raise InputError for what a suite's sweep moves to no effect: a slip of the pen would go unseen."""
    for name, values in suite.spec.sweep.items():
        for value in values:
            if (name, value) not in taken:
                known = any(one == name for one, _ in taken)
                told = f"takes {value!r} as '{name}'" if known else f"takes '{name}'"
                raise InputError(f"{suite.path}: sweep.{name}: no system of this suite {told}")


def _check_needs(
    suite: LoadedSuite, metrics: Sequence[BoundMetric], items: Sequence[Item], clips: Sequence[Item]
) -> None:
    """Raise InputError for a metric that can have no value in this suite, whatever the systems do."""
    for bound in metrics:
        name = bound.spec.name
        if "reference_set" in bound.spec.needs and not clips:
            raise InputError(f"{suite.path}: metric '{name}' compares with a reference set; add 'reference_set:'")
        if bound.spec.kind == "pair":
            lacking = [item.id for item in items if item.reference is None]
            if lacking:
                raise InputError(
                    f"{suite.path}: metric '{name}' compares each sample with its item's reference, and "
                    f"'{lacking[0]}' has none ({len(lacking)} of {len(items)} items)"
                )


def log_file(run: Path, system: str) -> Path:
    """Where what a system prints is kept; its name is made harmless as a file name."""
    name = "".join(letter if letter.isalnum() or letter in "._-+" else "_" for letter in system)
    return run / "logs" / f"{name}.log"
