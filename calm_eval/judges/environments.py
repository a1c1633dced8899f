"""Interpreters of their own for packages that clash with calm-eval's: named, made with pip once, found again."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from calm_eval.assets import cache_folder
from calm_eval.assets.cache import cache_errors, locked
from calm_eval.errors import InputError, UnavailableError
from calm_eval.keys import digest

_MARK = "made.json"
"""Written last: an environment without it was never finished."""


@dataclass(frozen=True)
class Environment:
    """`package` in `version` with everything that pip is asked for; `size` is about what it fetches, in bytes."""

    name: str
    package: str
    version: str
    requirements: tuple[str, ...]
    size: int

    @property
    def folder(self) -> Path:
        """Where it is or will be: other requirements, another folder."""
        return cache_folder() / "environments" / f"{self.name}-{digest(sorted(self.requirements))[:12]}"

    @property
    def made(self) -> bool:
        """Whether it was made to the end."""
        return (self.folder / _MARK).is_file()

    @property
    def told(self) -> str:
        """What to do when it is not there."""
        return f"calm-eval environments make {self.name} (about {self.size / 1e9:.1f} GB from the package index)"


def load_environments() -> dict[str, Environment]:
    """By name."""
    text = resources.files("calm_eval.judges").joinpath("environments.toml").read_text(encoding="utf-8")
    rows: dict[str, dict[str, Any]] = tomllib.loads(text)
    return {
        name: Environment(name, row["package"], row["version"], tuple(row["requirements"]), row["size"])
        for name, row in rows.items()
    }


def find_environment(name: str) -> Environment:
    """Raises InputError for an unknown name, with those that there are."""
    known = load_environments()
    if name not in known:
        raise InputError(f"no environment '{name}'; there are {', '.join(known)}")
    return known[name]


def interpreter(environment: Environment, python: str | None = None) -> Path:
    """Its Python, or the one that the user names. Raises UnavailableError when it is not there, with what to do."""
    if python is not None:
        if not Path(python).is_file():
            raise UnavailableError(f"{environment.name}: no interpreter at {python}; give another `python`")
        return Path(python)
    if not environment.made:
        raise UnavailableError(
            f"{environment.name} runs in an interpreter of its own: {environment.told}, or name one that has "
            f"{environment.package}=={environment.version} with the option `python`"
        )
    return _python(environment.folder)


def make_environment(environment: Environment) -> Path:
    """Make it with venv and pip, unless it is there; its Python.

    Raises UnavailableError with pip's last words; StoreError when the cache folder cannot be used.
    """
    folder = environment.folder
    with cache_errors(), locked(folder):
        if not environment.made:
            _call([sys.executable, "-m", "venv", "--clear", str(folder)], environment)
            pip = [str(_python(folder)), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
            _call([*pip, *environment.requirements], environment)
            mark = {"requirements": list(environment.requirements)}
            (folder / _MARK).write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")
    return _python(folder)


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _call(argv: list[str], environment: Environment) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise UnavailableError(f"the environment {environment.name} could not be made: {' / '.join(words)}")
