"""The rows of a table: each system of a suite with each sampling that is asked of it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from calm_eval.data.item import Item
from calm_eval.errors import InputError
from calm_eval.keys import digest
from calm_eval.metrics.protocol import MetricSpec
from calm_eval.runs.sweep import Sweep, grid, star
from calm_eval.specs.system import LoadedSystem
from calm_eval.systems.engine import Conditions, Place
from calm_eval.systems.open import open_engine
from calm_eval.systems.outcome import SystemUnavailableError
from calm_eval.systems.protocol import Parameter, Value
from calm_eval.systems.sampling import resolve_sampling, takes, variant_name


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
class Rows:
    """The rows of one system; `origins` is the identity of what makes the sample of each item, by item id.

    `taken` holds the parameters and values of a sweep that this system takes.
    """

    variants: list[Variant]
    origins: dict[str, str]
    taken: frozenset[tuple[str, Value]] = frozenset()


def rows_of(
    system: LoadedSystem,
    items: Sequence[Item],
    task: str,
    around: Sweep,
    over: Sweep,
    place: Place,
    conditions: Conditions,
) -> Rows:
    """Ask a system what it is and resolve its samplings: the variants of its file, with a star `around` the first.

    `over` is a grid that stands for both. Raises InputError for a task or a value that it does not take; a system that
    cannot start becomes one unavailable row.
    """
    spec = system.spec
    try:
        with contextlib.closing(open_engine(system, items, place, conditions)) as engine:
            info = engine.info
            if info.tasks and task not in info.tasks:
                raise InputError(f"system '{spec.name}' does not do '{task}'; it does: {', '.join(info.tasks)}")
            samplings = _samplings(system, info.sampling, {} if spec.control is not None else around, over)
            heads = engine.head_evaluations(samplings)
            identity = dict(engine.identity)
            fingerprint = digest(identity)
            origins = {item.id: engine.sample_identity(item, fingerprint) for item in items}
    except SystemUnavailableError as error:
        row = _unavailable(system, error)
        return Rows([row], dict.fromkeys((item.id for item in items), row.fingerprint))
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
    asked = [(name, value) for sweep in (around, over) for name, values in sweep.items() for value in values]
    mine = {(name, value) for name, value in asked if name in info.sampling and takes(info.sampling[name], value)}
    return Rows(rows, origins, frozenset(mine))


def _samplings(
    system: LoadedSystem, declared: Mapping[str, Parameter], around: Sweep, over: Sweep
) -> list[dict[str, Value]]:
    """What is asked, completed by the defaults; a star meets its own middle, and each sampling is run once."""
    listed = list(system.spec.variants) or [{}]
    asked = grid(listed[0], over, declared) if over.keys() & declared.keys() else listed
    resolved = [resolve_sampling(system.spec.name, declared, one) for one in asked]
    if over:
        return resolved
    moved = [resolve_sampling(system.spec.name, declared, one) for one in star(listed[0], around, declared)]
    return resolved + [one for place, one in enumerate(moved) if one not in resolved and one not in moved[:place]]


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
