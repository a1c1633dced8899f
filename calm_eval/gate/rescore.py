"""The baseline's stored audio scored by today's metrics, in a run folder of its own that is thrown away.

The candidate's run says what the items are; its samples are exchanged for the baseline's, and its judgements stay,
because they are kept by audio and judge: what the candidate shares with the baseline is not judged twice.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

from calm_eval.audio.checks import check_audio
from calm_eval.audio.read import read_sound
from calm_eval.errors import InputError
from calm_eval.gate.baseline import Baseline
from calm_eval.runs.database import FILE_NAME
from calm_eval.runs.evaluate import evaluate
from calm_eval.runs.order import stored_order
from calm_eval.runs.run import Run


def rescore(candidate: Run, baseline: Baseline, scratch: Path) -> Run:
    """A run of the baseline's sounds, scored anew.

    Raises InputError where the baseline kept no audio, and as `evaluate`.
    """
    folder = scratch / "rescored"
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    source = sqlite3.connect(candidate.folder / FILE_NAME)
    target = sqlite3.connect(folder / FILE_NAME)
    try:
        source.backup(target)
        _exchange(target, candidate, baseline, folder)
        target.commit()
    finally:
        source.close()
        target.close()
    embeddings = candidate.folder / "embeddings"
    if embeddings.is_dir():
        shutil.copytree(embeddings, folder / "embeddings")
    return evaluate(stored_order(folder), folder, stages=("score",), quiet=True)


def _exchange(database: sqlite3.Connection, candidate: Run, baseline: Baseline, folder: Path) -> None:
    """Put the baseline's sounds in the place of the candidate's; what has no counterpart is not made."""
    database.row_factory = sqlite3.Row
    planned = database.execute("SELECT suite, variant, item, seed, sample FROM planned").fetchall()
    for row in planned:
        suite = baseline.snapshot.suites.get(row["suite"])
        mine = suite.rows.get(row["variant"]) if suite is not None else None
        sound = mine.sounds.get((row["item"], row["seed"])) if mine is not None else None
        for table in ("item_values", "window_values"):
            database.execute(f"DELETE FROM {table} WHERE sample = ?", [row["sample"]])
        if sound is None:
            database.execute("DELETE FROM samples WHERE key = ?", [row["sample"]])
            continue
        about: dict[str, object] = {"audio": None, "failure": sound.failure, "flags": "[]"}
        if sound.audio is not None:
            clip = read_sound(_fetch(sound.audio, baseline, folder))
            check = check_audio(clip)
            about = {
                "audio": sound.audio,
                "failure": None,
                "flags": json.dumps(list(check.flags)),
                "seconds": check.seconds,
                "peak": check.peak,
                "sample_rate": clip.sample_rate,
                "channels": clip.channels,
            }
        columns = ", ".join(f"{name} = ?" for name in about)
        database.execute(f"UPDATE samples SET {columns} WHERE key = ?", [*about.values(), row["sample"]])
    database.execute("DELETE FROM set_values")


def _fetch(key: str, baseline: Baseline, folder: Path) -> Path:
    source, target = baseline.audio_path(key), folder / "audio" / key[:2] / f"{key}.flac"
    if not source.is_file():
        raise InputError(
            f"{baseline.folder}: the baseline keeps no audio, so its metric cannot be measured again; accept it with "
            "--audio"
        )
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return target
