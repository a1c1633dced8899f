"""One row of a data set as a loader reads it: names and paths, no audio opened yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from calm_eval.errors import InputError

LONGEST = 36_000.0
"""Seconds. Whoever says more has most likely written samples or milliseconds."""


@dataclass(frozen=True)
class Entry:
    """A row. `where` is its file and line, for errors.

    `span` is the part of the reference's file that is meant: start and length in seconds. `prompt_seconds` and
    `reference_seconds` are lengths that the list claims of whole files; they are checked against the audio. `duration`
    (seconds) is what a system is asked for.
    """

    where: str
    id: str
    text: str | None = None
    speaker: str | None = None
    prompt: Path | None = None
    reference: Path | None = None
    span: tuple[float, float] | None = None
    prompt_seconds: float | None = None
    reference_seconds: float | None = None
    duration: float | None = None


def check_entries(source: str, entries: Sequence[Entry]) -> None:
    """Raise InputError where there is no entry, an id stands twice or is empty, or a file is missing.

    No audio is opened; a missing file is told with the number of all that are missing.
    """
    if not entries:
        raise InputError(f"{source}: holds no item")
    seen: dict[str, str] = {}
    for entry in entries:
        if not entry.id.strip():
            raise InputError(f"{entry.where}: an empty id")
        if entry.id in seen:
            raise InputError(f"{entry.where}: id '{entry.id}' stands twice (first in {seen[entry.id]})")
        seen[entry.id] = entry.where
    wanted = ((entry, path) for entry in entries for path in (entry.prompt, entry.reference) if path is not None)
    missing = [(entry, path) for entry, path in wanted if not path.is_file()]
    if missing:
        entry, path = missing[0]
        more = f" ({len(missing)} files of {len(entries)} rows are missing)" if len(missing) > 1 else ""
        raise InputError(f"{entry.where}: no file '{path}' for '{entry.id}'{more}")


def seconds(where: str, name: str, value: object) -> float:
    """A length in seconds above 0, from a number or its text. Raises InputError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InputError(f"{where}: {name}: expected seconds, got {value!r}")
    try:
        number = float(value)
    except ValueError as error:
        raise InputError(f"{where}: {name}: expected seconds, got {value!r}") from error
    if not 0 < number < LONGEST:
        raise InputError(f"{where}: {name}: {value} s is not above 0 and below ten hours")
    return number


def text_lines(path: Path) -> list[tuple[str, str]]:
    """The lines of a UTF-8 file that are not blank, each with `file:line`. Raises InputError."""
    try:
        # Not splitlines: it also breaks at characters that belong to a text.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    return [(f"{path}:{number}", line.rstrip("\r")) for number, line in enumerate(lines, start=1) if line.strip()]
