"""A folder of audio files as items: the id is the path inside the folder, without the ending."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from calm_eval.data.item import AudioRef, Item
from calm_eval.data.manifest import file_identity
from calm_eval.errors import InputError

SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif"}


def audio_files(folder: Path) -> dict[str, Path]:
    """Id to file, sorted by path. Raises InputError when there is none, or when two files have one id."""
    found: dict[str, Path] = {}
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise InputError(f"{folder}: two files for item '{name}': {found[name].name} and {path.name}")
        found[name] = path
    if not found:
        raise InputError(f"{folder}: no audio file in this folder (looked for {', '.join(sorted(SUFFIXES))})")
    return found


def folder_items(folder: Path, texts: Mapping[str, str] | None = None) -> list[Item]:
    """One item a file, its reference, with its text if there is one. Raises InputError as `audio_files`."""
    told = texts or {}
    return [
        Item(id=name, text=told.get(name), reference=AudioRef(path, file_identity(path)))
        for name, path in audio_files(folder).items()
    ]
