"""Folders that are built once: filled under another name and renamed, so that half of one is never seen."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from calm_eval.errors import StoreError


def build_folder(folder: Path, finished: str, fill: Callable[[Path], None]) -> Path:
    """`folder`, filled by `fill` where its file `finished` is not there yet. A build that breaks leaves nothing behind.

    Two processes may build at once: the first to finish wins. Raises StoreError when the place cannot be written.
    """
    if (folder / finished).is_file():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".building-"))
    except OSError as error:
        raise StoreError(
            f"cannot write to {folder.parent}: {error}; set CALM_EVAL_CACHE or name another place"
        ) from error
    try:
        fill(building)
        building.rename(folder)
    except OSError as error:
        if not (folder / finished).is_file():
            raise StoreError(f"cannot build {folder}: {error}; set CALM_EVAL_CACHE or name another place") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder
