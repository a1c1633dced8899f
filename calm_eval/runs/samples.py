"""Samples in a run: one row each, audio under its content's name; the file comes first, then the row."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from calm_eval.audio.checks import check_audio
from calm_eval.audio.clip import Clip, clip_key
from calm_eval.audio.read import AudioError, read_sound
from calm_eval.audio.write import encode_flac, write_atomically
from calm_eval.keys import digest
from calm_eval.runs.database import Database
from calm_eval.systems.outcome import Outcome
from calm_eval.systems.protocol import Value

START_FAILURE = "start:"
"""Prefix of the failures of a system that could not start: the next run tries them again, for nothing is known yet."""


def sample_key(system: str, request: str, sampling: Mapping[str, Value], seed: int) -> str:
    """Identity of a sample: what it comes from (`Engine.sample_identity`), what was asked, its sampling, its seed."""
    return digest({"system": system, "request": request, "sampling": dict(sampling), "seed": seed})


class SampleStore:
    """Reads and writes the samples of one run folder."""

    def __init__(self, database: Database) -> None:
        self.folder = database.folder
        self.connection = database.connection

    def audio_path(self, key: str) -> Path:
        """Where the audio with this key lies."""
        return self.folder / "audio" / key[:2] / f"{key}.flac"

    def finished(self, keys: list[str], *, retry_failed: bool = False) -> set[str]:
        """Which of these samples are there: a row with its audio file, or a failure that stands."""
        found: set[str] = set()
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            marks = ",".join("?" * len(part))
            rows = self.connection.execute(f"SELECT key, audio, failure FROM samples WHERE key IN ({marks})", part)
            for row in rows:
                if row["audio"] is not None:
                    if self.audio_path(row["audio"]).is_file():
                        found.add(row["key"])
                elif not (retry_failed or row["failure"].startswith(START_FAILURE)):
                    found.add(row["key"])
        return found

    def put(self, key: str, outcome: Outcome, about: Mapping[str, Any]) -> None:
        """Store one outcome. `about` holds system, system_fingerprint, sampling, item, request, environment."""
        audio, check, failure, text = None, None, outcome.failure, outcome.text
        clip = outcome.clip
        if clip is not None:
            check = check_audio(clip)
            failure = check.failure
            text = f"{check.nan_samples} samples are not finite" if failure == "nan" else "no audio" if failure else ""
            if failure is None:
                audio, data = encode_flac(clip)
                path = self.audio_path(audio)
                if not path.is_file():
                    write_atomically(path, data)
        flags = [*(check.flags if check else ()), *outcome.noticed]
        if outcome.why == "limit" and failure is None:
            flags.append("runaway")
        spans = [[span.name, span.step, span.nanoseconds] for span in outcome.spans]
        row = {
            "key": key,
            **{name: about[name] for name in ("system", "system_fingerprint", "item", "request", "environment")},
            "sampling": json.dumps(about["sampling"], sort_keys=True),
            "seed": outcome.seed,
            "audio": audio,
            "failure": failure,
            "failure_text": text or None,
            "flags": json.dumps(flags),
            "why": outcome.why if clip is not None else None,
            "peak": check.peak if check else None,
            "nan_samples": check.nan_samples if check else None,
            "seconds": check.seconds if check else None,
            "sample_rate": clip.sample_rate if clip else None,
            "channels": clip.channels if clip else None,
            "generate_seconds": outcome.generate_seconds,
            "first_audio_seconds": outcome.first_audio_seconds,
            "streamed": int(outcome.streamed),
            "cold": int(outcome.cold),
            "spans": json.dumps(spans) if spans else None,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self._insert(row)

    def _insert(self, row: Mapping[str, Any]) -> None:
        columns = ", ".join(row)
        marks = ", ".join("?" * len(row))
        with self.connection:
            self.connection.execute(f"INSERT OR REPLACE INTO samples ({columns}) VALUES ({marks})", list(row.values()))
            # A sample that was tried again has other audio or another failure: what was measured before is void.
            self.connection.execute("DELETE FROM item_values WHERE sample = ?", [row["key"]])
            self.connection.execute("DELETE FROM window_values WHERE sample = ?", [row["key"]])

    def get(self, key: str) -> sqlite3.Row | None:
        """The row of a sample, or None."""
        row: sqlite3.Row | None = self.connection.execute("SELECT * FROM samples WHERE key = ?", [key]).fetchone()
        return row

    def load(self, audio: str) -> Clip:
        """Decode a stored audio and check that it is what its name says. Raises AudioError (`damaged`, `missing`)."""
        clip = read_sound(self.audio_path(audio))
        if clip_key(clip) != audio:
            raise AudioError("damaged", f"stored audio {audio[:12]} does not decode to what was stored")
        return clip

    def forget_audio(self, audio: str) -> None:
        """Drop the rows of a damaged audio, so that the next run makes it anew."""
        with self.connection:
            self.connection.execute("DELETE FROM samples WHERE audio = ?", [audio])
        self.audio_path(audio).unlink(missing_ok=True)

    def adopt(self, keys: list[str], other: Path) -> set[str]:
        """Take over finished samples from another run folder. Returns the keys that were found there.

        Raises StoreError when that folder is no run, or one of another version.
        """
        database = Database(other, write=False)
        taken: set[str] = set()
        try:
            theirs = SampleStore(database)
            for key in keys:
                row = theirs.get(key)
                if row is None or row["audio"] is None or not theirs.audio_path(row["audio"]).is_file():
                    continue
                target = self.audio_path(row["audio"])
                if not target.is_file():
                    write_atomically(target, theirs.audio_path(row["audio"]).read_bytes())
                self._insert(dict(row))
                taken.add(key)
        finally:
            database.close()
        return taken
