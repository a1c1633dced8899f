"""Where public data lies, and what of a suite's data is not there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePath

from calm_eval.assets import cache_folder
from calm_eval.errors import InputError, UnavailableError
from calm_eval.specs.dataset import DataPart, DataSpec

VARIABLE = "CALM_EVAL_DATA"


def data_root() -> Path:
    """The environment variable CALM_EVAL_DATA, else `data` in the cache folder. Not created.

    Raises InputError when the variable begins with ~ and that home is unknown.
    """
    chosen = os.environ.get(VARIABLE)
    if not chosen:
        return cache_folder() / "data"
    try:
        return Path(chosen).expanduser().absolute()
    except RuntimeError as error:
        raise InputError(f"{VARIABLE} is '{chosen}': {error}") from error


def below(root: Path, what: str, relative: str) -> Path:
    """A path inside the root, which may hold links to elsewhere: large data often lies on another disk.

    Raises InputError for an absolute path or one with `..`; `what` says what names it.
    """
    parts = PurePath(relative)
    if parts.is_absolute() or ".." in parts.parts:
        raise InputError(f"{what}: '{relative}' leaves {root}")
    return root / relative


def missing_parts(data: DataSpec) -> list[DataPart]:
    """The parts that are not in their place. An empty folder is missing; what a loader fetches itself never is."""
    root = data_root()
    return [part for part in data.parts if part.put is not None and not _there(root / part.put)]


def _there(path: Path) -> bool:
    return any(path.iterdir()) if path.is_dir() else path.is_file()


def told_missing(suite: str, data: DataSpec, missing: Sequence[DataPart]) -> str:
    """What to get, from where, where to put it, under what licence, and what will be expected of it."""
    root = data_root()
    lines = [f"suite '{suite}' needs data that is not here (data root: {root}; set {VARIABLE} to use another):"]
    for part in missing:
        assert part.put is not None
        lines += [
            f"  {part.name}",
            f"    get it from: {part.where}",
            f"    put it at:   {root / part.put}",
            f"    licence:     {part.licence}",
        ]
    there = [part.name for part in data.parts if part not in missing]
    if there:
        lines.append(f"  already there: {', '.join(there)}")
    return "\n".join([*lines, f"  expected: {told_expected(data)}"])


def told_expected(data: DataSpec) -> str:
    """The expected count and digest in words."""
    count = f"{data.items:,} items" if data.items is not None else "number of items not known: recorded on first use"
    ids = data.ids_digest if data.ids_digest is not None else "not known: recorded on first use"
    return f"{count}; sha256 of the sorted ids: {ids}"


def require_data(suite: str, data: DataSpec) -> None:
    """Raise UnavailableError, telling all of it, when a part is missing."""
    missing = missing_parts(data)
    if missing:
        raise UnavailableError(told_missing(suite, data, missing))
