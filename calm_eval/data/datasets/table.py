"""Tables with a header: CSV files, and JSON files that hold a list of objects (alone or under the key `data`)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from calm_eval.errors import InputError

Row = tuple[str, dict[str, str]]
"""Where it stands (`file:line`, or `file: entry N`), and its cells as text."""


def read_table(path: Path) -> list[Row]:
    """All rows of a `.csv` or `.json` file. Raises InputError with file and line."""
    try:
        return list(_json_rows(path) if path.suffix.lower() == ".json" else _csv_rows(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from error


def _csv_rows(path: Path) -> Iterator[Row]:
    # newline="": a cell in quotes may hold line breaks, which the csv module must see as they are.
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        before = 0
        header: list[str] = []
        try:
            for cells in reader:
                where, before = f"{path}:{before + 1}", reader.line_num
                if not cells:
                    continue
                if not header:
                    header = _header(where, cells)
                    continue
                if len(cells) != len(header):
                    raise InputError(f"{where}: {len(cells)} cells under {len(header)} columns ({', '.join(header)})")
                yield where, dict(zip(header, cells, strict=True))
        except csv.Error as error:
            raise InputError(f"{path}:{reader.line_num}: not valid CSV: {error}") from error


def _header(where: str, cells: list[str]) -> list[str]:
    if len(set(cells)) < len(cells):
        raise InputError(f"{where}: a column stands twice: {', '.join(cells)}")
    return cells


def _json_rows(path: Path) -> Iterator[Row]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from error
    rows = found.get("data") if isinstance(found, dict) else found
    if not isinstance(rows, list):
        raise InputError(f"{path}: expected a list of objects, or an object with such a list under 'data'")
    for number, row in enumerate(rows, start=1):
        where = f"{path}: entry {number}"
        if not isinstance(row, dict):
            raise InputError(f"{where}: expected an object")
        yield where, {str(key): "" if value is None else str(value) for key, value in row.items()}
