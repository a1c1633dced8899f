"""Whether a judge can be had here, found out without loading or fetching anything."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from calm_eval.errors import CalmEvalError, InputError, UnavailableError
from calm_eval.judges import JUDGES
from calm_eval.judges.environments import find_environment
from calm_eval.judges.protocol import Requires


@dataclass(frozen=True)
class Readiness:
    """`ready` to load, or `fetchable` by the network, or neither; `told` says it in words, with what to do."""

    ready: bool
    fetchable: bool
    told: str


def readiness(name: str, options: Mapping[str, bool | int | float | str] | None = None) -> Readiness:
    """The state of a registered judge with its options. Raises InputError for an unknown name.

    A judge that declares no `requires` counts as ready when it can be made: only loading it can tell more.
    """
    try:
        judge = JUDGES.load(name)(**(options or {}))
    except InputError as error:
        return Readiness(False, False, f"needs options: {error}")
    except TypeError as error:
        return Readiness(False, False, f"needs options: {error}")
    except UnavailableError as error:
        return Readiness(False, False, str(error))
    requires: Requires | None = getattr(judge, "requires", None)
    if requires is None:
        return Readiness(True, True, "can be made; declares nothing that it needs")
    return _state(requires)


def _state(requires: Requires) -> Readiness:
    from calm_eval.assets import load_catalogue, status

    for package, error in absent_packages(requires).items():
        return Readiness(False, False, f"pip install 'calm-eval[{requires.extra}]' (cannot import {package}: {error})")
    if requires.environment:
        environment = find_environment(requires.environment)
        if not environment.made:
            return Readiness(False, False, environment.told)
    try:
        missing = [name for name in requires.assets if status(name) != "present"]
        size = sum(load_catalogue()[name].size for name in missing)
    except CalmEvalError as error:
        return Readiness(False, False, str(error))
    if missing:
        names = " ".join(missing)
        # A run cannot name what it trusts on first use before that is there, and goes on without it.
        itself = "; or on first use" if all(load_catalogue()[name].pinned for name in missing) else ""
        return Readiness(False, True, f"calm-eval assets fetch {names} ({size / 1e6:.1f} MB{itself})")
    absent = absent_files(requires)
    if absent:
        return Readiness(False, True, f"downloads its weights on first use, or put them at {', '.join(absent)}")
    return Readiness(True, True, "ready")


def absent_packages(requires: Requires) -> dict[str, str]:
    """The modules that cannot be imported, each with why."""
    absent = {}
    for package in requires.packages:
        try:
            importlib.import_module(package)
        # Broken binary packages raise OSError or RuntimeError on import, not only ImportError.
        except (ImportError, OSError, RuntimeError) as error:
            absent[package] = str(error)
    return absent


def absent_files(requires: Requires) -> list[str]:
    """The weights that a package downloads by itself and has not yet."""
    return [file for file in requires.files if not Path(file).is_file()]
