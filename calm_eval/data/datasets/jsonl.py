"""JSON Lines as speech toolkits write them: NeMo manifests and lhotse cuts or supervisions, `.jsonl` or `.jsonl.gz`.

NeMo: `audio_filepath`, `text`, `duration`, perhaps `offset`, `speaker`, `id`. lhotse: docs/cuts.rst and docs/corpus.rst
of lhotse-speech/lhotse.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from calm_eval.data.datasets.entry import Entry, seconds
from calm_eval.data.datasets.lhotse import Recordings, lhotse_entry, read_recordings
from calm_eval.data.datasets.root import below
from calm_eval.errors import InputError

Style = Literal["nemo", "lhotse"]


def jsonl(
    root: Path, manifest: str, style: str, audio: str | None = None, recordings: str | None = None
) -> list[Entry]:
    """One entry a line. Relative audio paths lie below `audio`, or beside the manifest; absolute ones stay.

    `style` is `nemo` or `lhotse`; lhotse supervisions without their recording take it from the file `recordings`. The
    text is the transcript, the duration what a system is asked for. Raises InputError with file and line for what is no
    such row.
    """
    path = below(root, "option 'manifest'", manifest)
    folder = below(root, "option 'audio'", audio) if audio is not None else path.parent
    if style == "nemo":
        return [_nemo(where, row, folder) for where, row in json_lines(path)]
    if style == "lhotse":
        known: Recordings = {}
        if recordings is not None:
            known = read_recordings(json_lines(below(root, "option 'recordings'", recordings)))
        return [lhotse_entry(where, row, folder, known) for where, row in json_lines(path)]
    raise InputError(f"option 'style': '{style}'; known: {', '.join(get_args(Style))}")


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a file with `file:line`, blank lines left out. Raises InputError."""
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{where}: not valid JSON: {error}") from error
        if not isinstance(row, dict):
            raise InputError(f"{where}: expected an object, found {type(row).__name__}")
        yield where, row


def _nemo(where: str, row: dict[str, Any], folder: Path) -> Entry:
    file = row.get("audio_filepath")
    if not isinstance(file, str) or not file:
        raise InputError(f"{where}: expected a text 'audio_filepath'")
    for key in ("text", "speaker", "id"):
        if row.get(key) is not None and not isinstance(row[key], str):
            raise InputError(f"{where}: {key}: wrong type {type(row[key]).__name__}")
    length = seconds(where, "duration", row.get("duration"))
    offset = row.get("offset")
    if offset is not None and (isinstance(offset, bool) or not isinstance(offset, int | float) or not offset >= 0):
        raise InputError(f"{where}: offset: {offset!r} is no time at or after 0 s")
    name = Path(file).with_suffix("").as_posix() + ("" if offset is None else f"@{offset:g}")
    return Entry(
        where,
        row.get("id") or name,
        row.get("text"),
        row.get("speaker"),
        reference=folder / file,
        span=None if offset is None else (float(offset), length),
        reference_seconds=length if offset is None else None,
        duration=length,
    )
