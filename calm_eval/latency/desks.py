"""The rows of a measurement, each with the child that makes it, ready to be timed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from calm_eval.errors import InputError
from calm_eval.keys import digest
from calm_eval.latency.measured import Measured
from calm_eval.latency.rows import Row, RowWish
from calm_eval.latency.tier import Tier
from calm_eval.specs.presets import ADAPTER
from calm_eval.specs.system import LoadedSystem, load_system
from calm_eval.systems.engine import Conditions, Place
from calm_eval.systems.open import open_child
from calm_eval.systems.outcome import SystemUnavailableError
from calm_eval.systems.protocol import Value
from calm_eval.systems.sampling import resolve_sampling, variant_name
from calm_eval.systems.timed_child import TimedChild


@dataclass(frozen=True)
class Bench:
    """Under which conditions rows are measured. `scale` shrinks the reference models; 1 leaves them as they are."""

    tier: Tier
    conditions: Conditions
    folder: Path
    task: str | None = None
    prompt: Path | None = None
    batches: tuple[int, ...] = ()
    scale: float = 1.0
    trace: bool = True


@dataclass
class Desk:
    """One row at work: its child, what it is asked to do, and what was measured so far."""

    child: TimedChild
    task: str
    measured: Measured


@dataclass
class _Children:
    """One child for each system, however many samplings of it there are."""

    bench: Bench
    made: dict[str, tuple[LoadedSystem, TimedChild]] = field(default_factory=dict)

    def of(self, name: str) -> tuple[LoadedSystem, TimedChild]:
        if name not in self.made:
            system = load_system(name)
            self.made[name] = system, _child(system, self.bench)
        return self.made[name]

    def close(self) -> None:
        for _, child in self.made.values():
            child.close()


@contextlib.contextmanager
def desks_of(wishes: Sequence[RowWish], bench: Bench) -> Iterator[tuple[str, list[Desk]]]:
    """The task and the rows, each with its child; all children end with the block.

    Raises InputError for what can be seen beforehand: an unknown system, parameter or task, the same row twice.
    """
    with contextlib.closing(_Children(bench)) as children:
        systems = [children.of(wish.system) for wish in wishes]
        task = bench.task or _common_task([system.spec.name for system, _ in systems], [one for _, one in systems])
        desks = [
            Desk(child, task, _asked(wish, system, child, task, bench))
            for wish, (system, child) in zip(wishes, systems, strict=True)
        ]
        names = [desk.measured.row.name for desk in desks]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"the row '{name}' is asked for twice")
        yield task, desks


def _child(system: LoadedSystem, bench: Bench) -> TimedChild:
    spec = system.spec
    if spec.python is None:
        raise InputError(
            f"system '{spec.name}' cannot be timed step by step: only 'python' systems tell when each piece is there"
        )
    if bench.scale != 1.0 and spec.python != ADAPTER:
        raise InputError(f"system '{spec.name}' cannot be scaled: only the presets of reference_models can")
    place = Place(bench.folder / "scratch" / spec.name, bench.folder / "logs" / f"{spec.name}.log")
    more: dict[str, Value] = {} if bench.scale == 1.0 else {"scale": bench.scale}
    return open_child(TimedChild, system, place, bench.conditions, more)


def _asked(wish: RowWish, system: LoadedSystem, child: TimedChild, task: str, bench: Bench) -> Measured:
    """Ask the system what it is; one that cannot start is a row that failed. Raises InputError."""
    try:
        return Measured(_row(wish, system, child, task, bench))
    except SystemUnavailableError as error:
        words = [system.spec.name, *(f"{name}={value}" for name, value in wish.sampling.items())]
        row = Row(" ".join(words), system.spec.name, dict(wish.sampling), bench.tier.seconds)
        return Measured(row, failure=(error.name, str(error)))


def _row(wish: RowWish, system: LoadedSystem, child: TimedChild, task: str, bench: Bench) -> Row:
    """The row as it is. Raises InputError, and SystemUnavailableError when the system cannot start."""
    name = system.spec.name
    info = child.info
    if info.tasks and task not in info.tasks:
        raise InputError(f"system '{name}' does not do '{task}'; it does: {', '.join(info.tasks)}")
    sampling = resolve_sampling(name, info.sampling, wish.sampling)
    (heads,) = child.head_evaluations([sampling])
    identity = child.identity
    return Row(
        name=variant_name(name, info.sampling, sampling) + ("" if bench.scale == 1.0 else f" (scale {bench.scale:g})"),
        system=name,
        sampling=sampling,
        seconds=bench.tier.seconds_for(sampling.get("steps")),
        family=info.family,
        frame_rate=info.frame_rate,
        head_rate=heads,
        weight_bytes=child.weight_bytes(sampling),
        unscored=info.unscored,
        mode=info.execution,
        identity={"fingerprint": digest(dict(identity)), **identity},
    )


def _common_task(names: Sequence[str], children: Sequence[TimedChild]) -> str:
    """The one task that all systems do. Raises InputError when there is none, or more than one."""
    told = {}
    for name, child in zip(names, children, strict=True):
        with contextlib.suppress(SystemUnavailableError):
            told[name] = child.info.tasks
    every = dict.fromkeys(one for tasks in told.values() for one in tasks)
    shared = [task for task in every if all(task in tasks for tasks in told.values() if tasks)]
    if len(shared) != 1:
        listed = "; ".join(f"{name}: {', '.join(tasks) or 'any'}" for name, tasks in told.items())
        what = "no task that all of them do" if not shared else "more than one task that all of them do"
        raise InputError(f"{what} ({listed}): choose systems or a task with --task")
    return shared[0]
