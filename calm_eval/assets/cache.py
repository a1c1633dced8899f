"""Where assets are kept: one folder an asset and a set of hashes, with safe writes and a lock."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from calm_eval.assets.catalogue import Asset
from calm_eval.errors import InputError, StoreError

CACHE_VARIABLE = "CALM_EVAL_CACHE"


def cache_folder() -> Path:
    """The root of the cache: the environment variable CALM_EVAL_CACHE, else the user's cache folder. Not created.

    Raises InputError when CALM_EVAL_CACHE begins with ~ and that home is unknown.
    """
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        try:
            return Path(chosen).expanduser().absolute()
        except RuntimeError as error:
            raise InputError(f"{CACHE_VARIABLE} is '{chosen}': {error}") from error
    import platformdirs

    return Path(platformdirs.user_cache_dir("calm-eval"))


def asset_folder(asset: Asset) -> Path:
    """The folder with all files of an asset. It depends on every name and sha256, so a changed hash gets a new one.

    Of a file that is trusted on first use its source stands for the sha256.
    """
    pins = "".join(
        f"{file.name}\0{file.sha256 or file.source}\n" for file in sorted(asset.files, key=lambda file: file.name)
    )
    return cache_folder() / "assets" / asset.name / hashlib.sha256(pins.encode()).hexdigest()[:12]


@contextmanager
def cache_errors() -> Iterator[None]:
    """Turn an OSError (disk full, not writable) into a StoreError that names the cache folder."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"cannot use the cache folder {cache_folder()}: {error}; "
            f"make room or make it writable, or set {CACHE_VARIABLE} to another folder"
        ) from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of an asset folder, waiting for another process that has it. Raises OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.with_name(f"{folder.name}.lock")
    with lock.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logging.getLogger(__name__).warning("waiting for another process that fetches into %s", folder)
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield  # closing the stream gives the lock back


def put_in_place(part: Path, final: Path) -> None:
    """Move a finished temporary file to its final name, on disk before it is seen. Raises OSError."""
    _sync(part)
    part.replace(final)
    _sync(final.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
