"""The `file:` source: a file that already lies on this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from calm_eval.assets.sources import LocalSource
from calm_eval.errors import UnavailableError


def copy_local(source: LocalSource, part: Path) -> None:
    """Copy the file to `part`. Raises UnavailableError when it cannot be opened, OSError when the copy fails."""
    try:
        original = source.path.open("rb")
    except OSError as error:
        raise UnavailableError(f"cannot open {source.path}: {error.strerror}") from error
    with original, part.open("wb") as copy:
        shutil.copyfileobj(original, copy)
