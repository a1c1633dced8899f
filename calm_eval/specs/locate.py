"""Where suite and system files are: a path the user gives, or a name among the bundled ones."""

from __future__ import annotations

import difflib
from pathlib import Path

from calm_eval.errors import InputError
from calm_eval.specs.presets import system_presets

LATENCY_PREFIX = "latency_"
"""A bundled suite whose file name begins so is timed by `calm-eval latency`; `calm-eval run` leaves it alone."""


def bundled_folder(installed: str = "bundled_suites", source: str = "suites") -> Path:
    """A folder of the package's own (its suites): inside the installed one, or beside it in a source checkout."""
    package = Path(__file__).resolve().parent.parent
    return package / installed if (package / installed).is_dir() else package.parent / source


def bundled_names(kind: str) -> dict[str, Path]:
    """Name to file of every bundled `suite` (`mini/tts`) or `system` (`piper`)."""
    root = bundled_folder()
    if kind == "system":
        return {path.stem: path for path in sorted((root / "systems").glob("*.yaml"))}
    files = sorted(path for path in root.glob("*/*.yaml") if path.parent.name != "systems" and not _timed(path))
    return {path.relative_to(root).with_suffix("").as_posix(): path for path in files}


def _timed(path: Path) -> bool:
    return path.stem.startswith(LATENCY_PREFIX)


def find_file(kind: str, name_or_path: str) -> Path:
    """The file of a `suite` or `system`. Raises InputError with the nearest known names when there is none."""
    path = Path(name_or_path)
    if path.is_file():
        return path
    names = bundled_names(kind)
    name = name_or_path.removeprefix("suites/").removeprefix("systems/").removesuffix(".yaml").rstrip("/")
    if name in names:
        return names[name]
    if Path(name).name.startswith(LATENCY_PREFIX):
        raise InputError(f"'{name}' is a latency suite: calm-eval latency {name_or_path}")
    presets = list(system_presets()) if kind == "system" else []
    near = difflib.get_close_matches(name, [*names, *presets], n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    known = f"Bundled: {', '.join(names)}" + (f". Presets: {', '.join(presets)}" if presets else "")
    raise InputError(f"no {kind} '{name_or_path}': neither a file nor a known name.{hint} {known}")


def expand_suites(names_or_paths: list[str]) -> list[str]:
    """Folders spelled out into the suites they hold (`suites/mini` gives every suite in it). Raises InputError."""
    result: list[str] = []
    for name in names_or_paths:
        folder = Path(name)
        if folder.is_dir():
            files = [str(path) for path in sorted(folder.glob("*.yaml")) if not _timed(path)]
        else:
            prefix = name.removeprefix("suites/").rstrip("/") + "/"
            files = [known for known in bundled_names("suite") if known.startswith(prefix)]
        if folder.is_dir() and not files:
            raise InputError(f"{folder}: no suite (*.yaml) in this folder")
        result.extend(files or [name])
    return result
