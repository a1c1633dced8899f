"""An accepted baseline: a small folder of plain text, fit for review in git, with the audio beside it if wished.

baseline.json   when, why, the command, environment, fingerprints and estimates
samples.csv     what was made: suite, row, item, seed, identity of the audio or name of the failure
values.csv      what was measured of it: numerator and denominator, or the name of the refusal
policy.yaml     the policy that goes with it, if one was given
history.jsonl   one line for every baseline that was accepted here, the newest last
nightly.jsonl   one line for every run that was noted here, for the trend
audio/          the sounds, if they were asked for: what `gate --rescore` needs
embeddings/     what judges of whole sets heard, if it was asked for: what a gate on FAD or KAD needs
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from calm_eval.audio.write import write_atomically
from calm_eval.errors import InputError
from calm_eval.gate.embedded import FOLDER as EMBEDDINGS
from calm_eval.gate.embedded import keep_embeddings
from calm_eval.gate.snapshot import (
    Measured,
    Place,
    RowSnapshot,
    Snapshot,
    Sound,
    SuiteSnapshot,
    Value,
    canonical,
    snapshot_json,
    snapshot_of,
)
from calm_eval.metrics.bound import BoundMetric
from calm_eval.runs.run import Run
from calm_eval.specs.policy import load_policy

FORMAT, VERSION = "calm-eval-baseline", 1
FILE, SAMPLES, VALUES, POLICY, HISTORY = "baseline.json", "samples.csv", "values.csv", "policy.yaml", "history.jsonl"

_SAMPLE_COLUMNS = ("suite", "row", "item", "seed", "audio", "failure")
_VALUE_COLUMNS = ("suite", "row", "metric", "item", "seed", "numerator", "denominator", "refused")


@dataclass(frozen=True)
class Baseline:
    """A baseline read back: `snapshot` is whole, `why` and `accepted_at` are what its reviewer was told."""

    folder: Path
    snapshot: Snapshot
    why: str
    accepted_at: str

    def audio_path(self, key: str) -> Path:
        """Where the audio with this identity lies, if audio was kept."""
        return self.folder / "audio" / key[:2] / f"{key}.flac"

    @property
    def policy_path(self) -> Path:
        """Where the policy lies that was accepted with it."""
        return self.folder / POLICY


def accept(
    run: Run,
    folder: Path,
    why: str,
    *,
    rows: Sequence[str] = (),
    policy: Path | None = None,
    audio: bool = False,
    embeddings: bool = False,
) -> Baseline:
    """Write a run down as the baseline in `folder`, which may hold an earlier one: that one's line stays in history.

    `rows` keeps these rows alone. Raises InputError for a folder that holds something else, for a row that is not
    there, for no reason in `why`, for a run in which nothing was measured, and for a policy that is not valid.
    """
    if not why.strip():
        raise InputError("baseline: --why must say why these values are the ones to hold")
    if folder.exists() and not (folder.is_dir() and ((folder / FILE).is_file() or not any(folder.iterdir()))):
        raise InputError(f"{folder} holds something that is no baseline; name another folder with --to")
    if policy is not None:
        load_policy(policy)
    snapshot = _only(snapshot_of(run), rows)
    if not any(row.measured for suite in snapshot.suites.values() for row in suite.rows.values()):
        raise InputError(f"{run.folder}: nothing was measured there; score the run first")
    baseline = Baseline(folder, snapshot, why.strip(), datetime.now(UTC).isoformat(timespec="seconds"))
    head = {"format": FORMAT, "version": VERSION, "why": baseline.why, "accepted_at": baseline.accepted_at}
    told = {**head, **snapshot_json(snapshot)}
    # The file that makes a folder a baseline comes last: one that was cut short is none.
    write_atomically(folder / SAMPLES, _csv(_SAMPLE_COLUMNS, _sample_rows(snapshot)))
    write_atomically(folder / VALUES, _csv(_VALUE_COLUMNS, _value_rows(snapshot)))
    if policy is not None and policy.resolve() != (folder / POLICY).resolve():
        write_atomically(folder / POLICY, policy.read_bytes())
    for part in ("audio", EMBEDDINGS):
        shutil.rmtree(folder / part, ignore_errors=True)
    if audio:
        _copy_audio(run, baseline)
    if embeddings:
        keep_embeddings(run, snapshot, folder)
    add_line(folder / HISTORY, {"accepted_at": baseline.accepted_at, "why": baseline.why, **line_of(snapshot)})
    write_atomically(folder / FILE, canonical(told).encode())
    return baseline


def read_baseline(folder: Path) -> Baseline:
    """Read what `accept` wrote. Raises InputError where there is none, for another version, and for a damaged one."""
    path = folder / FILE
    if not path.is_file():
        raise InputError(
            f"{folder}: no baseline there ({FILE} is missing); accept one: calm-eval baseline accept RUN --to {folder} "
            "--why TEXT"
        )
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["format"] != FORMAT or told["version"] != VERSION:
            raise InputError(f"{path}: {told['format']} version {told['version']}; this calm-eval reads {VERSION}")
        sounds, values = _sounds(folder / SAMPLES), _values(folder / VALUES)
        suites = {name: _suite(name, one, sounds, values) for name, one in told["suites"].items()}
        snapshot = Snapshot(told["calm_eval"], told["command"], told["environment"], told["origin"], suites)
        return Baseline(folder, snapshot, told["why"], told["accepted_at"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder}: this baseline cannot be read ({error!r}); take it from git again") from error


def _only(snapshot: Snapshot, rows: Sequence[str]) -> Snapshot:
    if not rows:
        return snapshot
    known = {name for suite in snapshot.suites.values() for name in suite.rows}
    for name in rows:
        if name not in known:
            raise InputError(f"baseline: no row '{name}' in the run; rows: {', '.join(sorted(known))}")
    suites = {
        name: replace(suite, rows={one: row for one, row in suite.rows.items() if one in rows})
        for name, suite in snapshot.suites.items()
    }
    return replace(snapshot, suites={name: suite for name, suite in suites.items() if suite.rows})


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def _rows(snapshot: Snapshot) -> Iterator[tuple[str, str, RowSnapshot]]:
    for suite, one in snapshot.suites.items():
        for name, row in one.rows.items():
            yield suite, name, row


def _sample_rows(snapshot: Snapshot) -> Iterator[Sequence[Any]]:
    for suite, name, row in _rows(snapshot):
        for (item, seed), sound in sorted(row.sounds.items()):
            yield suite, name, item, seed, sound.audio or "", sound.failure or ""


def _value_rows(snapshot: Snapshot) -> Iterator[Sequence[Any]]:
    for suite, name, row in _rows(snapshot):
        for metric, measured in row.measured.items():
            for (item, seed), one in sorted(measured.values.items()):
                parts = ["" if part is None else repr(part) for part in (one.numerator, one.denominator)]
                yield suite, name, metric, item, seed, *parts, one.refused or ""


def add_line(path: Path, told: Mapping[str, Any]) -> None:
    """Append a line of JSON; the file is whole at any moment. Raises OSError."""
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    write_atomically(path, (before + json.dumps(told, sort_keys=True, allow_nan=False) + "\n").encode())


def line_of(snapshot: Snapshot) -> dict[str, Any]:
    """A run as one line of a series: by row and metric the fingerprint and the value."""
    return {
        "values": [
            {
                "suite": suite,
                "row": name,
                "metric": bound.spec.name,
                "judge": bound.preset,
                "fingerprint": bound.fingerprint,
                "items": snapshot.suites[suite].digest,
                "value": row.measured[bound.fingerprint].value,
            }
            for suite, name, row in _rows(snapshot)
            for bound in snapshot.suites[suite].metrics
            if bound.fingerprint in row.measured
        ]
    }


def _copy_audio(run: Run, baseline: Baseline) -> None:
    for _, _, row in _rows(baseline.snapshot):
        for sound in row.sounds.values():
            if sound.audio is not None and not baseline.audio_path(sound.audio).is_file():
                source = run.folder / "audio" / sound.audio[:2] / f"{sound.audio}.flac"
                write_atomically(baseline.audio_path(sound.audio), source.read_bytes())


def _read(path: Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames is None or tuple(reader.fieldnames) != tuple(columns):
            raise ValueError(f"{path.name}: columns {reader.fieldnames}")
        yield from reader


def _sounds(path: Path) -> dict[tuple[str, str], dict[Place, Sound]]:
    found: dict[tuple[str, str], dict[Place, Sound]] = {}
    for row in _read(path, _SAMPLE_COLUMNS):
        sound = Sound(row["audio"] or None, row["failure"] or None)
        found.setdefault((row["suite"], row["row"]), {})[row["item"], int(row["seed"])] = sound
    return found


def _values(path: Path) -> dict[tuple[str, str, str], dict[Place, Value]]:
    found: dict[tuple[str, str, str], dict[Place, Value]] = {}
    for row in _read(path, _VALUE_COLUMNS):
        top, bottom = (float(row[name]) if row[name] else None for name in ("numerator", "denominator"))
        place = row["item"], int(row["seed"])
        found.setdefault((row["suite"], row["row"], row["metric"]), {})[place] = Value(
            top, bottom, row["refused"] or None
        )
    return found


def _suite(
    suite: str,
    told: Mapping[str, Any],
    sounds: Mapping[tuple[str, str], Mapping[Place, Sound]],
    values: Mapping[tuple[str, str, str], Mapping[Place, Value]],
) -> SuiteSnapshot:
    rows = {
        name: RowSnapshot(
            row["system"],
            row["fingerprint"],
            row["sampling"],
            row["planned"],
            sounds.get((suite, name), {}),
            {
                metric: Measured(**one, values=values.get((suite, name, metric), {}))
                for metric, one in row["estimates"].items()
            },
        )
        for name, row in told["rows"].items()
    }
    return SuiteSnapshot(
        version=told["version"],
        task=told["task"],
        items=told["items"],
        reference_set_digest=told["reference_set_digest"],
        seeds=told["seeds"],
        metrics=tuple(BoundMetric.from_json(one) for one in told["metrics"]),
        rows=rows,
    )
