"""What a judge made of a row's sounds and of the reference set: what a metric of the whole set is compared on."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from calm_eval.audio.write import write_atomically
from calm_eval.errors import InputError
from calm_eval.gate.snapshot import RowSnapshot, Snapshot
from calm_eval.metrics.set_choice import Clips, Frames
from calm_eval.runs.database import Database, storage_errors
from calm_eval.runs.judgements import JudgementStore
from calm_eval.runs.plan_store import StoredPlan, load_plans
from calm_eval.runs.run import Run

FOLDER = "embeddings"


class Embedded(Protocol):
    """Where the frames [F, d] of a sound lie."""

    def frames(self, judge: str, audio: str) -> Frames | None:
        """By the judge's fingerprint and the audio's identity; None where it was refused or is not there."""
        ...


@dataclass(frozen=True)
class RunEmbedded:
    """The embeddings of a run folder."""

    judgements: JudgementStore
    plans: Mapping[str, StoredPlan]

    def frames(self, judge: str, audio: str) -> Frames | None:
        """As `Embedded`."""
        judgement = self.judgements.get(audio, judge)
        return None if judgement is None else judgement.vectors

    def references(self, suite: str, judge: str) -> Clips:
        """The reference set of a suite by clip, without what the judge refused."""
        clips = self.plans[suite].reference_set
        found = {name: self.frames(judge, ref.identity) for name, ref in clips.items()}
        return {name: frames for name, frames in found.items() if frames is not None and len(frames)}


class KeptEmbedded:
    """The embeddings that a baseline's folder keeps, one file a judge, read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, Mapping[str, Frames]] = {}

    def frames(self, judge: str, audio: str) -> Frames | None:
        """As `Embedded`. Raises InputError for a file that cannot be read."""
        if judge not in self._read:
            self._read[judge] = _read(self.path(judge))
        return self._read[judge].get(audio)

    def path(self, judge: str) -> Path:
        """The file of a judge."""
        return self.folder / FOLDER / f"{judge[:16]}.npz"


def _read(path: Path) -> dict[str, Frames]:
    if not path.is_file():
        return {}
    try:
        with np.load(path, allow_pickle=False) as kept:
            return {name: kept[name] for name in kept.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: cannot be read ({error}); take it from git again") from error


@contextlib.contextmanager
def embedded_in(run: Run) -> Iterator[RunEmbedded]:
    """The embeddings of a run while it is open. Raises StoreError."""
    database = Database(run.folder, write=False)
    try:
        with storage_errors(run.folder):
            plans = {plan.suite.name: plan.scored for plan in load_plans(database)}
            yield RunEmbedded(JudgementStore(database), plans)
    finally:
        database.close()


def keep_embeddings(run: Run, snapshot: Snapshot, folder: Path) -> None:
    """Write the embeddings that metrics of the whole set lean on, of every row of the snapshot, for a baseline."""
    with embedded_in(run) as source:
        judges: dict[str, dict[str, Frames]] = {}
        for suite in snapshot.suites.values():
            for bound in suite.metrics:
                if bound.spec.kind == "set" and bound.judge_fingerprint is not None:
                    mine = judges.setdefault(bound.judge_fingerprint, {})
                    mine.update(_of_rows(source, suite.rows, bound.judge_fingerprint))
    for judge, frames in judges.items():
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **frames)
        write_atomically(KeptEmbedded(folder).path(judge), buffer.getvalue())


def _of_rows(source: Embedded, rows: Mapping[str, RowSnapshot], judge: str) -> dict[str, Frames]:
    audios = {sound.audio for row in rows.values() for sound in row.sounds.values() if sound.audio is not None}
    found = {audio: source.frames(judge, audio) for audio in sorted(audios)}
    return {audio: frames for audio, frames in found.items() if frames is not None}


def clips_of(row: RowSnapshot, source: Embedded, judge: str, seeds: int) -> dict[str, Frames]:
    """Frames by item, its first `seeds` one after the other; an item of which no sound could be heard is left out."""
    found: dict[str, list[Frames]] = {}
    for (item, seed), sound in sorted(row.sounds.items()):
        frames = source.frames(judge, sound.audio) if sound.audio is not None and seed < seeds else None
        if frames is not None and len(frames):
            found.setdefault(item, []).append(frames)
    return {item: np.concatenate(parts) for item, parts in found.items()}
