"""Names made of columns: `{youtube_id}.wav`, `{path:bare}.2min.mp3`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from calm_eval.errors import InputError

_PLACE = re.compile(r"\{(\w+)(?::(\w+))?\}")
_PARTS: dict[str | None, Callable[[str], str]] = {
    None: lambda value: value,
    "name": lambda value: PurePosixPath(value).name,
    "stem": lambda value: PurePosixPath(value).stem,
    "bare": lambda value: str(PurePosixPath(value).with_suffix("")),
}
"""Of a path in a column: all of it, its last part, that without its ending, all of it without its ending."""


def fill(where: str, template: str, row: Mapping[str, str]) -> str:
    """The template with every `{column}` or `{column:part}` replaced. Raises InputError for one that is not there."""

    def value(found: re.Match[str]) -> str:
        column, part = found.groups()
        if column not in row:
            raise InputError(f"{where}: there is no column '{column}' for '{template}'; there are: {', '.join(row)}")
        if part not in _PARTS:
            known = ", ".join(str(name) for name in _PARTS if name is not None)
            raise InputError(f"'{template}': unknown part '{part}' of a column; known: {known}")
        if not row[column]:
            raise InputError(f"{where}: column '{column}' is empty")
        return _PARTS[part](row[column])

    return _PLACE.sub(value, template)
