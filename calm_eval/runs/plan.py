"""The plan: what will be generated and scored, known in full before any weight is loaded."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from calm_eval.data.item import Item
from calm_eval.data.load import Progress as BuildProgress
from calm_eval.data.load import reference_set, suite_items
from calm_eval.errors import InputError
from calm_eval.keys import digest
from calm_eval.metrics.bound import BoundMetric, bind
from calm_eval.metrics.protocol import MetricSpec
from calm_eval.runs.samples import sample_key
from calm_eval.runs.watch import Stopwatch
from calm_eval.specs.suite import LoadedSuite, SuiteSpec
from calm_eval.specs.system import LoadedSystem, beside, load_system
from calm_eval.systems.engine import Conditions, Place
from calm_eval.systems.open import open_engine
from calm_eval.systems.outcome import SystemUnavailableError
from calm_eval.systems.protocol import Value
from calm_eval.systems.sampling import resolve_sampling, variant_name


@dataclass(frozen=True)
class Variant:
    """A system with one sampling: one row of a table. `unscored`: why its quality is not scored; empty where it is."""

    name: str
    system: str
    fingerprint: str
    sampling: Mapping[str, Value]
    control: bool
    family: str
    head_evaluations: float | None = None
    streaming: bool = False
    unavailable: tuple[str, str] | None = None
    identity: Mapping[str, Any] = field(default_factory=dict)
    unscored: str = ""

    def measured_by(self, spec: MetricSpec) -> bool:
        """Whether a metric is judged and measured on this row: what is not scored is only timed."""
        return spec.timing or not self.unscored

    @property
    def unscored_text(self) -> str:
        """The reason in words: `untrained: quality not scored`."""
        return f"{self.unscored}: quality not scored"

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "unavailable": list(self.unavailable) if self.unavailable else None}


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
        return digest(sorted(item.digest(self.suite.task) for item in self.items))

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
    names = list(wishes.systems) if wishes.systems is not None else list(spec.systems)
    if not names:
        raise InputError(f"{suite.path}: no systems; name some in the suite or with --systems")
    systems = [load_system(beside(suite.path, name)) for name in names]
    doubled = {one.spec.name for one in systems if sum(other.spec.name == one.spec.name for other in systems) > 1}
    if doubled:
        raise InputError(f"two systems are called '{doubled.pop()}'; rename one of them")
    items = suite_items(suite, progress)
    limit = None if wishes.full else wishes.limit if wishes.limit is not None else spec.limit
    if limit is not None and limit < 1:
        raise InputError(f"--limit {limit}: at least one item is needed")
    chosen = items if limit is None else items[:limit]
    metrics = [bind(use) for use in spec.metric_uses()]
    clips = reference_set(suite, progress)
    _check_needs(suite, metrics, chosen, clips)
    seeds = wishes.seeds if wishes.seeds is not None else spec.seeds
    if seeds < 1:
        raise InputError(f"--seeds {seeds}: at least one seed is needed")
    variants: list[Variant] = []
    samples: list[PlannedSample] = []
    swept: set[str] = set()
    for number, system in enumerate(systems):
        place = Place(scratch / f"plan-{number}", log_file(scratch.parent, system.spec.name))
        # Asking a system what it is starts its process: that time is the system's.
        with watch.mark("model"):
            rows, origins = _variants(system, chosen, spec.task, wishes.sweep, place, conditions, swept)
        taken = {row.name for row in variants}
        for row in rows:
            if row.name in taken:
                raise InputError(f"system '{system.spec.name}': the row '{row.name}' is planned twice")
            variants.append(row)
            for seed, item in itertools.product(range(seeds), chosen):
                key = sample_key(origins[item.id], item.request_digest(spec.task), row.sampling, seed)
                samples.append(PlannedSample(key, row, item, seed))
    missing = [name for name in wishes.sweep if name not in swept]
    if missing:
        raise InputError(f"--sweep {missing[0]}: no system of this run takes that parameter")
    by_name = {system.spec.name: system for system in systems}
    return SuitePlan(spec, chosen, len(items), seeds, metrics, variants, samples, by_name, clips)


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


def _variants(
    system: LoadedSystem,
    items: Sequence[Item],
    task: str,
    sweep: Mapping[str, Sequence[Value]],
    place: Place,
    conditions: Conditions,
    swept: set[str],
) -> tuple[list[Variant], dict[str, str]]:
    spec = system.spec
    try:
        with contextlib.closing(open_engine(system, items, place, conditions)) as engine:
            info = engine.info
            if info.tasks and task not in info.tasks:
                raise InputError(f"system '{spec.name}' does not do '{task}'; it does: {', '.join(info.tasks)}")
            here = {name: values for name, values in sweep.items() if name in info.sampling}
            swept.update(here)
            asked: list[Mapping[str, Value]] = list(spec.variants) or [{}]
            if here:
                combinations = [dict(zip(here, values, strict=True)) for values in itertools.product(*here.values())]
                asked = [{**asked[0], **one} for one in combinations]
            samplings = [resolve_sampling(spec.name, info.sampling, one) for one in asked]
            heads = engine.head_evaluations(samplings)
            identity = dict(engine.identity)
            fingerprint = digest(identity)
            origins = {item.id: engine.sample_identity(item, fingerprint) for item in items}
    except SystemUnavailableError as error:
        row = _unavailable(system, error)
        return [row], dict.fromkeys((item.id for item in items), row.fingerprint)
    rows = [
        Variant(
            name=variant_name(spec.name, info.sampling, sampling),
            system=spec.name,
            fingerprint=fingerprint,
            sampling=sampling,
            control=spec.control is not None,
            family="control" if spec.control else info.family,
            head_evaluations=head,
            streaming=info.streaming,
            identity=identity,
            unscored=info.unscored,
        )
        for sampling, head in zip(samplings, heads, strict=True)
    ]
    return rows, origins


def _unavailable(system: LoadedSystem, error: SystemUnavailableError) -> Variant:
    spec = system.spec
    return Variant(
        name=spec.name,
        system=spec.name,
        fingerprint=digest({"unavailable": spec.name}),
        sampling={},
        control=spec.control is not None,
        family=spec.family,
        unavailable=(error.name, str(error)),
    )
