"""A table of captions beside a folder of audio: MusicCaps, AudioCaps, Song Describer and what looks like them."""

from __future__ import annotations

from pathlib import Path

from calm_eval.data.datasets.entry import Entry, seconds
from calm_eval.data.datasets.root import below
from calm_eval.data.datasets.table import Row, read_table
from calm_eval.data.datasets.template import fill
from calm_eval.errors import InputError


def captions(
    root: Path,
    table: str,
    id: str = "{id}",
    text: str = "{caption}",
    audio: str | None = None,
    file: str | None = None,
    duration: str | None = None,
    only: str | None = None,
    first_of: str | None = None,
) -> list[Entry]:
    """One entry a row of `table` (CSV with a header, or JSON), in its order.

    `id`, `text` and `file` are made of columns (`{ytid}`, `{path:bare}.2min.mp3`, see `template`). `file` lies in the
    folder `audio`; without the two there are texts alone. `duration`: the seconds that systems are asked for,
    `{seconds}` or `{end}-{start}`. `only`: `column=value`, rows to keep. `first_of`: a column; of rows with the same
    value the first is kept.

    Raises InputError with file and line for a column that is not there, an empty cell that is needed, or a duration
    that is none.
    """
    path = below(root, "option 'table'", table)
    if (audio is None) != (file is None):
        raise InputError("options 'audio' and 'file' go together")
    folder = below(root, "option 'audio'", audio) if audio is not None else None
    entries = []
    for where, row in _kept(read_table(path), only, first_of):
        name = fill(where, file, row) if file is not None else None
        entries.append(
            Entry(
                where,
                fill(where, id, row).strip(),
                fill(where, text, row).strip(),
                reference=below(folder, where, name) if folder is not None and name is not None else None,
                duration=_duration(where, duration, row),
            )
        )
    return entries


def _kept(rows: list[Row], only: str | None, first_of: str | None) -> list[Row]:
    if only is not None:
        column, equals, value = only.partition("=")
        if not equals:
            raise InputError(f"option 'only': '{only}' is not of the form column=value")
        rows = [(where, row) for where, row in rows if _cell(where, column, row) == value]
    if first_of is None:
        return rows
    first: dict[str, Row] = {}
    for where, row in rows:
        first.setdefault(fill(where, f"{{{first_of}}}", row), (where, row))
    return list(first.values())


def _cell(where: str, column: str, row: dict[str, str]) -> str:
    """A cell, which may be empty. Raises InputError for a column that is not there."""
    if column not in row:
        raise InputError(f"{where}: there is no column '{column}'; there are: {', '.join(row)}")
    return row[column]


def _duration(where: str, rule: str | None, row: dict[str, str]) -> float | None:
    if rule is None:
        return None
    end, minus, start = rule.partition("-")
    if not minus:
        return seconds(where, "duration", fill(where, rule, row))
    try:
        told = float(fill(where, end, row)) - float(fill(where, start, row))
    except ValueError as error:
        raise InputError(f"{where}: duration: '{rule}' is no difference of seconds here: {error}") from error
    return seconds(where, "duration", told)
