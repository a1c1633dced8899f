"""LibriSpeech as it is unpacked: `SPEAKER/CHAPTER/SPEAKER-CHAPTER-NUMBER.flac` beside `SPEAKER-CHAPTER.trans.txt`."""

from __future__ import annotations

from pathlib import Path

from calm_eval.data.datasets.entry import Entry, text_lines
from calm_eval.data.datasets.root import below
from calm_eval.errors import InputError


def librispeech(root: Path, folder: str) -> list[Entry]:
    """All utterances below `folder` (`LibriSpeech/test-clean`), sorted by file; texts in capitals as they come.

    Raises InputError for a folder without transcripts, a line without a text, or audio without a transcript.
    """
    top = below(root, "option 'folder'", folder)
    entries = [entry for path in sorted(top.rglob("*.trans.txt")) for entry in _chapter(path)]
    if not entries:
        raise InputError(f"{top}: no *.trans.txt below this folder: not LibriSpeech as it is unpacked")
    told = {entry.reference for entry in entries}
    stray = next((path for path in sorted(top.rglob("*.flac")) if path not in told), None)
    if stray is not None:
        raise InputError(f"{stray}: no transcript names this utterance")
    return entries


def _chapter(path: Path) -> list[Entry]:
    entries = []
    for where, line in text_lines(path):
        name, _, text = line.partition(" ")
        if not text.strip():
            raise InputError(f"{where}: expected an id and its text")
        entries.append(
            Entry(
                where,
                name,
                text.strip(),
                speaker=utterance_speaker(where, name),
                reference=path.parent / f"{name}.flac",
            )
        )
    return entries


def utterance_speaker(where: str, name: str) -> str:
    """The speaker of `SPEAKER-CHAPTER-NUMBER`. Raises InputError for another form."""
    parts = name.split("-")
    if len(parts) != 3 or not all(parts):
        raise InputError(f"{where}: '{name}' is no LibriSpeech id (SPEAKER-CHAPTER-NUMBER)")
    return parts[0]


def utterance_file(where: str, folder: Path, name: str, endings: tuple[str, ...] = (".flac",)) -> Path:
    """The file of an utterance below a LibriSpeech folder: the first ending that exists, else the first one."""
    utterance_speaker(where, name)
    speaker, chapter, _ = name.split("-")
    files = [folder / speaker / chapter / f"{name}{ending}" for ending in endings]
    return next((file for file in files if file.is_file()), files[0])
