"""Rows of lhotse: cuts with recording and supervisions, and supervisions whose recording stands in another file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from calm_eval.data.datasets.entry import Entry, seconds
from calm_eval.errors import InputError

Recordings = Mapping[str, Mapping[str, Any]]


def read_recordings(rows: Iterable[tuple[str, dict[str, Any]]]) -> Recordings:
    """Recordings by id. Raises InputError for a row without one, or an id that stands twice."""
    found: dict[str, Mapping[str, Any]] = {}
    for where, row in rows:
        name = _text(where, row, "id")
        if name in found:
            raise InputError(f"{where}: recording '{name}' stands twice")
        found[name] = row
    return found


def lhotse_entry(where: str, row: Mapping[str, Any], folder: Path, known: Recordings) -> Entry:
    """One cut or supervision. Its text is that of its supervisions in order, its speaker theirs if they are one.

    Raises InputError for mixed, padded and multi-channel cuts, and for recordings that are no file.
    """
    name = _text(where, row, "id")
    kind = row.get("type", "MonoCut")
    if kind != "MonoCut":
        raise InputError(f"{where}: '{name}' is a {kind}; only cuts of one recording and one channel are read")
    recording = row.get("recording")
    if recording is None:
        wanted = str(row.get("recording_id"))
        if wanted not in known:
            raise InputError(f"{where}: '{name}' holds no recording, and option 'recordings' knows no '{wanted}'")
        recording = known[wanted]
    told = row.get("supervisions", [row])
    if not isinstance(told, list) or not all(isinstance(one, dict) for one in told):
        raise InputError(f"{where}: supervisions: expected a list of objects")
    texts = [text for one in told if (text := _optional(where, one, "text"))]
    speakers = {speaker for one in told if (speaker := _optional(where, one, "speaker"))}
    start = row.get("start", 0)
    if isinstance(start, bool) or not isinstance(start, int | float) or not start >= 0:
        raise InputError(f"{where}: start: {start!r} is no time at or after 0 s")
    length = seconds(where, "duration", row.get("duration"))
    return Entry(
        where,
        name,
        " ".join(texts) or None,
        speakers.pop() if len(speakers) == 1 else None,
        reference=folder / _source(where, name, recording),
        span=(float(start), length),
        duration=length,
    )


def _source(where: str, name: str, recording: object) -> str:
    sources = recording.get("sources") if isinstance(recording, Mapping) else None
    if not isinstance(sources, list) or len(sources) != 1 or not isinstance(sources[0], dict):
        raise InputError(f"{where}: the recording of '{name}' has not exactly one source")
    kind, channels, source = (sources[0].get(key) for key in ("type", "channels", "source"))
    if kind != "file" or not isinstance(source, str):
        raise InputError(f"{where}: the recording of '{name}' is of type '{kind}'; only files are read")
    if isinstance(channels, list) and len(channels) > 1:
        raise InputError(f"{where}: the recording of '{name}' has {len(channels)} channels; only one is read")
    return source


def _text(where: str, row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise InputError(f"{where}: expected a text '{key}'")
    return value


def _optional(where: str, row: Mapping[str, Any], key: str) -> str | None:
    return None if row.get(key) is None else _text(where, row, key)
