"""Names to objects, imported only when asked for: built-ins from a table, third parties from entry points."""

from __future__ import annotations

import difflib
import importlib
from importlib import metadata
from typing import Any

from calm_eval.errors import InputError, UnavailableError


class Registry:
    """One family of named objects (`judges`, `metrics`, `systems`).

    Built-ins are written as `module:object` strings in a table beside the family; a third-party package adds names
    with the entry-point group `calm_eval.<family>`. Nothing is imported until `load` is called.
    """

    def __init__(self, family: str, builtin: dict[str, str]) -> None:
        self.family = family
        self.group = f"calm_eval.{family}"
        self._builtin = builtin

    def targets(self) -> dict[str, str]:
        """All names with their `module:object`, sorted by name. Raises InputError when a plug-in takes a used name."""
        found = dict(self._builtin)
        for point in metadata.entry_points(group=self.group):
            if found.get(point.name, point.value) != point.value:
                raise InputError(
                    f"two packages register {self.family} '{point.name}': {found[point.name]} and {point.value}; "
                    "uninstall one of them or rename its entry point"
                )
            found[point.name] = point.value
        return dict(sorted(found.items()))

    def target(self, name: str) -> str:
        """The `module:object` behind a name. Raises InputError, with the nearest names, when there is none."""
        targets = self.targets()
        if name not in targets:
            near = difflib.get_close_matches(name, targets, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise InputError(f"unknown {self.family} '{name}'{hint} Known: {', '.join(targets) or 'none'}")
        return targets[name]

    def load(self, name: str) -> Any:
        """Import and return the object behind a name. Raises UnavailableError with the cause when its import fails."""
        return import_target(self.target(name))


def import_target(target: str) -> Any:
    """Import `module:object`. Raises InputError on a malformed target, UnavailableError when the import fails."""
    module_name, _, attribute = target.partition(":")
    if not module_name or not attribute:
        raise InputError(f"'{target}' is not of the form module:object")
    try:
        module = importlib.import_module(module_name)
    # Broken binary packages raise OSError or RuntimeError on import, not only ImportError.
    except (ImportError, OSError, RuntimeError) as error:
        raise UnavailableError(f"cannot import {module_name}: {type(error).__name__}: {error}") from error
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        raise UnavailableError(f"module {module_name} has no '{attribute}'") from error


SYSTEMS = Registry("systems", {})
"""Plug-in systems: each entry is a factory that returns a System. Bundled ones are YAML files in `suites/systems`."""
