"""The one SQLite file of a run: schema, lock, and storage errors said in words."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from calm_eval.errors import StoreError

SCHEMA_VERSION = 2
FILE_NAME = "run.sqlite"

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE environments (id TEXT PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE suites (name TEXT PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE items (suite TEXT, position INTEGER, id TEXT, json TEXT NOT NULL, PRIMARY KEY (suite, id));
CREATE TABLE reference_sets (suite TEXT, position INTEGER, id TEXT, json TEXT NOT NULL, PRIMARY KEY (suite, id));
CREATE TABLE suite_metrics (suite TEXT, position INTEGER, json TEXT NOT NULL, PRIMARY KEY (suite, position));
CREATE TABLE variants (suite TEXT, position INTEGER, name TEXT, json TEXT NOT NULL, PRIMARY KEY (suite, name));
CREATE TABLE planned (suite TEXT, variant TEXT, item TEXT, seed INTEGER, sample TEXT NOT NULL,
    PRIMARY KEY (suite, variant, item, seed));
CREATE TABLE samples (key TEXT PRIMARY KEY, system TEXT, system_fingerprint TEXT, sampling TEXT, item TEXT,
    request TEXT, seed INTEGER, audio TEXT, failure TEXT, failure_text TEXT, flags TEXT, why TEXT, peak REAL,
    nan_samples INTEGER, seconds REAL, sample_rate INTEGER, channels INTEGER, generate_seconds REAL,
    first_audio_seconds REAL, streamed INTEGER, cold INTEGER, spans TEXT, environment TEXT, made_at TEXT);
CREATE INDEX samples_audio ON samples (audio);
CREATE TABLE judges (fingerprint TEXT PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE judgements (audio TEXT, judge TEXT, text TEXT, scores TEXT, shard TEXT, start INTEGER, rows INTEGER,
    notes TEXT, refused TEXT, environment TEXT, PRIMARY KEY (audio, judge));
CREATE TABLE metrics (fingerprint TEXT PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE item_values (sample TEXT, metric TEXT, inputs TEXT, numerator REAL, denominator REAL, parts TEXT,
    refused TEXT, flags TEXT, PRIMARY KEY (sample, metric, inputs));
CREATE TABLE window_values (sample TEXT, metric TEXT, seconds REAL, inputs TEXT, place INTEGER, numerator REAL,
    denominator REAL, refused TEXT, PRIMARY KEY (sample, metric, seconds, inputs, place));
CREATE TABLE set_values (suite TEXT, variant TEXT, metric TEXT, inputs TEXT, json TEXT NOT NULL,
    PRIMARY KEY (suite, variant, metric, inputs));
CREATE TABLE invocations (id INTEGER PRIMARY KEY, command TEXT, began TEXT, wall_seconds REAL, model_seconds REAL,
    judge_seconds REAL, generated INTEGER, judged INTEGER);
"""


@contextlib.contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn what the disk says (full, not writable, damaged) into a StoreError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StoreError(
                f"{folder}: the disk is full ({error.strerror}); nothing finished is lost: free some space and run the "
                "same command again"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
            raise StoreError(
                f"{folder}: cannot be written ({error.strerror}); choose another folder with --out"
            ) from error
        raise
    except sqlite3.OperationalError as error:
        if "full" in str(error) or "disk I/O" in str(error):
            raise StoreError(
                f"{folder}: the disk is full ({error}); nothing finished is lost: free some space and run the same "
                "command again"
            ) from error
        raise StoreError(f"{folder}: the run store cannot be used: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{folder}: {FILE_NAME} is damaged: {error}; move the folder away and start anew") from error


class Database:
    """An open run folder. `write=True` takes the folder's lock for as long as it is open."""

    def __init__(self, folder: Path, *, write: bool) -> None:
        self.folder = folder
        self._lock: IO[str] | None = None
        path = folder / FILE_NAME
        if not write and not path.is_file():
            raise StoreError(f"{folder}: no run here (no {FILE_NAME})")
        with storage_errors(folder):
            if write:
                self._prepare(path)
            self.connection = sqlite3.connect(path, timeout=30)
            self.connection.row_factory = sqlite3.Row
            self._check_schema()

    def _prepare(self, path: Path) -> None:
        if self.folder.is_dir() and not path.is_file() and any(self.folder.iterdir()):
            others = [one.name for one in self.folder.iterdir() if one.name not in ("run.lock", "logs", "inputs")]
            if others:
                raise StoreError(f"{self.folder}: is not a run and not empty (holds {others[0]}); choose another --out")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise StoreError(f"{self.folder}: is a file; choose another folder with --out") from error
        except FileNotFoundError as error:
            raise StoreError(f"{self.folder}: cannot be made ({error.strerror}); choose another --out") from error
        self._lock = (self.folder / "run.lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.seek(0)
            holder = self._lock.read().strip() or "unknown"
            self._lock.close()
            raise StoreError(
                f"{self.folder}: another process (pid {holder}) is working on this run; wait for it, or choose another "
                "folder with --out"
            ) from error
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()

    def _check_schema(self) -> None:
        if self._lock is not None:
            self.connection.execute("PRAGMA journal_mode=WAL")
            self.connection.execute("PRAGMA synchronous=NORMAL")
        tables = self.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables == 0:
            with self.connection:
                self.connection.executescript(
                    f"BEGIN; {_SCHEMA} INSERT INTO meta VALUES ('schema_version', '{SCHEMA_VERSION}'); COMMIT;"
                )
        found = self.connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
        if found is None or int(found[0]) != SCHEMA_VERSION:
            raise StoreError(
                f"{self.folder}: made by another version of calm-eval (schema {found[0] if found else '?'}, this one "
                f"reads {SCHEMA_VERSION}); use that version, or another --out"
            )

    def close(self) -> None:
        """Close the file and release the lock."""
        self.connection.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None
