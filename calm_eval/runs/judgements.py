"""Judgements in a run: keyed by the audio and the judge; vectors lie in shards that are memory-mapped."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calm_eval.audio.write import write_atomically
from calm_eval.judges.protocol import Judgement
from calm_eval.keys import digest
from calm_eval.runs.database import Database

JUDGE_ERROR = "error"
"""A judgement that failed by an exception of the judge: asked for again by the next call."""


class JudgementStore:
    """Reads and writes judgements of one run folder."""

    def __init__(self, database: Database) -> None:
        self.folder = database.folder
        self.connection = database.connection
        self._last: tuple[tuple[str, str], NDArray[np.float32]] | None = None

    def _shard(self, judge: str, name: str) -> Path:
        return self.folder / "embeddings" / judge[:16] / f"{name}.npy"

    def _mapped(self, judge: str, name: str) -> NDArray[np.float32]:
        """A shard, memory-mapped; clips of one shard are mostly asked for one after the other."""
        if self._last is None or self._last[0] != (judge, name):
            shard = np.load(self._shard(judge, name), mmap_mode="r", allow_pickle=False)
            self._last = (judge, name), shard
        return self._last[1]

    def known(self, judge: str) -> set[str]:
        """Audios that this judge has judged."""
        rows = self.connection.execute("SELECT audio, shard FROM judgements WHERE judge = ?", [judge])
        return {row["audio"] for row in rows if row["shard"] is None or self._shard(judge, row["shard"]).is_file()}

    def forget_errors(self) -> None:
        """Drop judgements that failed, and the values that rest on them."""
        with self.connection:
            self.connection.execute("DELETE FROM judgements WHERE refused = ?", [JUDGE_ERROR])
            # Whatever part was refused: judge:error, prompt:error, reference:error, ...
            self.connection.execute("DELETE FROM item_values WHERE refused LIKE ?", [f"%:{JUDGE_ERROR}"])
            self.connection.execute("DELETE FROM window_values WHERE refused LIKE ?", [f"%:{JUDGE_ERROR}"])
            self.connection.execute("DELETE FROM set_values WHERE json LIKE ?", [f'%:{JUDGE_ERROR}"%'])

    def put(self, judge: str, judged: Sequence[tuple[str, Judgement]], environment: str) -> None:
        """Store a batch: vectors first, in one shard, then all rows in one transaction."""
        vectors = [judgement.vectors for _, judgement in judged if judgement.vectors is not None]
        shard = None
        if vectors:
            buffer = io.BytesIO()
            np.save(buffer, np.concatenate(vectors).astype(np.float32), allow_pickle=False)
            shard = digest([audio for audio, _ in judged])[:24]
            write_atomically(self._shard(judge, shard), buffer.getvalue())
        rows, start = [], 0
        for audio, judgement in judged:
            count = 0 if judgement.vectors is None else len(judgement.vectors)
            rows.append(
                (
                    audio,
                    judge,
                    judgement.text,
                    json.dumps(dict(judgement.scores), sort_keys=True),
                    shard if count else None,
                    start,
                    count,
                    json.dumps(dict(judgement.notes), sort_keys=True),
                    judgement.refused,
                    environment,
                )
            )
            start += count
        with self.connection:
            self.connection.executemany("INSERT OR REPLACE INTO judgements VALUES (?,?,?,?,?,?,?,?,?,?)", rows)

    def there(self, audio: str, judge: str) -> bool:
        """Whether a judgement has been made."""
        found = self.connection.execute("SELECT 1 FROM judgements WHERE audio = ? AND judge = ?", [audio, judge])
        return found.fetchone() is not None

    def get(self, audio: str, judge: str) -> Judgement | None:
        """One judgement, its vectors memory-mapped; None when it has not been made."""
        found = self.connection.execute("SELECT * FROM judgements WHERE audio = ? AND judge = ?", [audio, judge])
        row = found.fetchone()
        if row is None:
            return None
        vectors = None
        if row["shard"] is not None:
            vectors = self._mapped(judge, row["shard"])[row["start"] : row["start"] + row["rows"]]
        return Judgement(
            text=row["text"],
            scores=json.loads(row["scores"]),
            vectors=vectors,
            notes=json.loads(row["notes"]),
            refused=row["refused"],
        )
