"""From a system file to an engine, by kind. A new kind is one new file and one line here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar, cast

from calm_eval.assets import fetch
from calm_eval.data.item import Item
from calm_eval.errors import UnavailableError
from calm_eval.specs.system import LoadedSystem, shuffled_system
from calm_eval.systems.child import ChildEngine
from calm_eval.systems.command import CommandEngine
from calm_eval.systems.controls import ControlEngine
from calm_eval.systems.engine import Conditions, Engine, Place
from calm_eval.systems.folder import FolderEngine
from calm_eval.systems.in_process import InProcessEngine
from calm_eval.systems.outcome import SystemUnavailableError
from calm_eval.systems.protocol import Parameter, SystemInfo, Value
from calm_eval.systems.round_trip import RoundTripEngine
from calm_eval.systems.shuffled import ShuffledEngine, Told

Child = TypeVar("Child", bound=ChildEngine)


def open_engine(system: LoadedSystem, items: Sequence[Item], place: Place, conditions: Conditions) -> Engine:
    """An engine for a system; `items` are those of the suite, which controls draw on. Starts nothing yet."""
    spec = system.spec
    if spec.control == "round_trip":
        return RoundTripEngine(spec.options, place, conditions, spec.item_timeout, spec.start_timeout)
    if spec.control == "shuffled":
        told = open_engine(shuffled_system(system), items, place, conditions)
        return ShuffledEngine(told, cast(Told, spec.options["part"]), items, spec.name)
    if spec.control is not None:
        return ControlEngine(spec.control, spec.options, items)
    if spec.folder is not None:
        manifest = system.folder / spec.manifest if spec.manifest else None
        return FolderEngine(_recorded(system, spec.folder), manifest, _declared(system))
    if spec.command is not None:
        folder = system.folder.resolve()
        return CommandEngine(spec.command, _declared(system), place, conditions, folder, spec.item_timeout)
    assert spec.python is not None
    if conditions.in_process:
        own = system.path.parent if system.path else None
        return InProcessEngine(spec.python, spec.options, conditions, own)
    return open_child(ChildEngine, system, place, conditions)


def open_child(
    kind: type[Child],
    system: LoadedSystem,
    place: Place,
    conditions: Conditions,
    more: Mapping[str, Value] | None = None,
) -> Child:
    """A child of this kind for a `python` system; `more` options go beside those of its file."""
    spec = system.spec
    assert spec.python is not None
    return kind(
        spec.python,
        {**spec.options, **(more or {})},
        place,
        conditions,
        interpreter=(system.folder / spec.interpreter).absolute() if spec.interpreter else None,
        folder=system.path.parent if system.path else None,
        item_timeout=spec.item_timeout,
        start_timeout=spec.start_timeout,
        spans=spec.spans,
    )


def _recorded(system: LoadedSystem, folder: str) -> Path:
    """The folder of recorded audio; that of an asset is fetched when it is missing."""
    if system.spec.asset is None:
        return system.folder / folder
    try:
        return fetch(system.spec.asset)
    except UnavailableError as error:
        raise SystemUnavailableError("load-error", str(error)) from error


def _declared(system: LoadedSystem) -> SystemInfo:
    spec = system.spec
    sampling = {
        name: Parameter(one.default, one.low, one.high, tuple(one.choices), one.help)
        for name, one in spec.sampling.items()
    }
    return SystemInfo(
        tasks=tuple(spec.tasks),
        family=spec.family,
        sample_rate=spec.sample_rate,
        frame_rate=spec.frame_rate,
        sampling=sampling,
    )
