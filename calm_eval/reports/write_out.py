"""A file that the user named: written whole, or an error that names it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from calm_eval.audio.write import write_atomically
from calm_eval.errors import InputError


def write_out(path: Path, text: str) -> None:
    """Write text as UTF-8. Raises InputError where the path cannot be written or its folder is not there."""
    try:
        if not path.parent.is_dir():
            # A mistyped folder is not made.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        write_atomically(path, text.encode())
    except OSError as error:
        raise InputError(f"--out {path}: {error.strerror or error}") from error


def make_out(folder: Path) -> Path:
    """The folder, made with those above it. Raises InputError where it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: {error.strerror or error}") from error
    return folder
