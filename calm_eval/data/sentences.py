"""The sentences file: what is read, by which voice, and the voices' prompts."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calm_eval.errors import InputError


@dataclass(frozen=True)
class Sentence:
    """One row. An item has `prompt=False`; a prompt is read only to show how its voice sounds."""

    id: str
    text: str
    voice: str
    tags: tuple[str, ...]
    prompt: bool
    line: int


def read_sentences(path: Path, voices: Collection[str]) -> tuple[Sentence, ...]:
    """The rows in the order of the file. Blank lines are skipped.

    An item is {"id", "text", "tags", "voice"}, a prompt {"id", "prompt_for", "text"}. Raises InputError, naming file
    and line, for a row that is not such an object, a repeated id, an empty text, a voice that is not in `voices`, and
    for a voice with items but no prompt.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    rows: list[Sentence] = []
    lines: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        row = _parse(line, f"{path}:{number}", number, voices)
        if row.id in lines:
            raise InputError(f"{path}:{number}: id {row.id!r} was used on line {lines[row.id]}")
        lines[row.id] = number
        rows.append(row)
    prompted = {row.voice for row in rows if row.prompt}
    for row in rows:
        if row.voice not in prompted:
            raise InputError(f'{path}:{row.line}: voice {row.voice!r} has no prompt (a row with "prompt_for")')
    return tuple(rows)


def _parse(line: str, where: str, number: int, voices: Collection[str]) -> Sentence:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise InputError(f"{where}: a row must be an object, not {type(row).__name__}")
    prompt = "prompt_for" in row
    known = {"id", "text", "prompt_for"} if prompt else {"id", "text", "tags", "voice"}
    if unknown := sorted(set(row) - known):
        raise InputError(f"{where}: unknown keys {unknown}; a row of this kind has {sorted(known)}")
    voice = _text(row, "prompt_for" if prompt else "voice", where)
    if voice not in voices:
        raise InputError(f"{where}: unknown voice {voice!r}; known: {', '.join(sorted(voices))}")
    tags = row.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise InputError(f"{where}: tags must be a list of strings")
    return Sentence(_text(row, "id", where), _text(row, "text", where), voice, tuple(tags), prompt, number)


def _text(row: dict[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where}: {key!r} is missing or not a text")
    return value
