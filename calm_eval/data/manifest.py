"""Manifests: one JSON object a line, one line an item."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from calm_eval.audio.clip import clip_key
from calm_eval.audio.read import AudioError, read_sound
from calm_eval.data.item import AudioRef, Item
from calm_eval.errors import InputError

_KEYS: dict[str, type | tuple[type, ...]] = {
    "id": str,
    "text": str,
    "speaker": str,
    "prompt": str,
    "prompt_identity": str,
    "prompt_text": str,
    "prompt_round_trip": str,
    "reference": str,
    "reference_identity": str,
    "duration": (int, float),
    "tags": list,
    "synthetic": bool,
}


def read_manifest(path: Path) -> list[Item]:
    """Items of a manifest; audio paths are relative to it and stay inside its folder.

    Keys: `id` (needed), `text`, `speaker`, `prompt`, `prompt_round_trip` (the prompt through a codec), `reference`,
    `duration` (s), `tags`, and for built corpora `prompt_identity`, `reference_identity`. Raises InputError with file
    and line on bad JSON, an unknown key, a wrong type, a double id, a path that leaves the folder, or a missing audio
    file.
    """
    items: list[Item] = []
    seen: dict[str, int] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        row = _row(where, line)
        if row["id"] in seen:
            raise InputError(f"{where}: id '{row['id']}' stands twice (first in line {seen[row['id']]})")
        seen[row["id"]] = number
        items.append(
            Item(
                id=row["id"],
                text=row.get("text"),
                speaker=row.get("speaker"),
                prompt=_audio(where, path.parent, row, "prompt"),
                prompt_round_trip=_audio(where, path.parent, row, "prompt_round_trip"),
                reference=_audio(where, path.parent, row, "reference"),
                duration=row.get("duration"),
                tags=tuple(row.get("tags", ())),
            )
        )
    if not items:
        raise InputError(f"{path}: holds no item")
    return items


def _row(where: str, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not valid JSON: {error}") from error
    if not isinstance(row, dict) or not isinstance(row.get("id"), str) or not row["id"].strip():
        raise InputError(f"{where}: expected an object with a text 'id'")
    for key, value in row.items():
        kind = _KEYS.get(key)
        if kind is None:
            raise InputError(f"{where}: unknown key '{key}'; allowed: {', '.join(_KEYS)}")
        if value is not None and (not isinstance(value, kind) or (kind is not bool and isinstance(value, bool))):
            raise InputError(f"{where}: {key}: wrong type {type(value).__name__}")
    duration = row.get("duration")
    if duration is not None and not 0 < duration < 36_000:
        raise InputError(f"{where}: duration: {duration} s is not above 0 and below ten hours")
    return row


def _audio(where: str, folder: Path, row: dict[str, Any], key: str) -> AudioRef | None:
    relative = row.get(key)
    if relative is None:
        return None
    path = folder / relative
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{where}: {key}: '{relative}' leaves the manifest's folder")
    if not path.is_file():
        raise InputError(f"{where}: {key}: no file '{path}'")
    return AudioRef(path, row.get(f"{key}_identity") or file_identity(path))


def file_identity(path: Path) -> str:
    """Content identity of an audio file: its PCM key, or the hash of its bytes when it does not decode to numbers."""
    try:
        return clip_key(read_sound(path))
    except AudioError as error:
        return f"{error.name}:{hashlib.sha256(path.read_bytes()).hexdigest()}"
