"""Texts by id, for audio that lies in a folder: one JSON object a line with `id` and `text`."""

from __future__ import annotations

import json
from pathlib import Path

from calm_eval.errors import InputError


def read_texts(path: Path) -> dict[str, str]:
    """Id to text; a row without a text is left out, other keys are not looked at.

    Raises InputError with file and line on bad JSON, a missing id or an id that stands twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    texts: dict[str, str] = {}
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            name, text = row["id"], row.get("text")
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f'{path}:{number}: expected {{"id": ..., "text": ...}}') from error
        if not isinstance(name, str) or not isinstance(text, str | None):
            raise InputError(f"{path}:{number}: id and text are texts")
        if name in seen:
            raise InputError(f"{path}:{number}: id '{name}' stands twice")
        seen.add(name)
        if text:
            texts[name] = text
    return texts
