"""Which weights a judge has: those of the catalogue, or files of the user's, by their sha256."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from calm_eval.assets import weights
from calm_eval.assets.checksum import sha256_of
from calm_eval.errors import UnavailableError


def chosen_weights(
    judge: str, asset: str, path: str | None, names: Sequence[str] = (), option: str = "path"
) -> dict[str, str]:
    """File name to sha256: of the catalogue's files where `path` is None, else of that file, or of `names` in it.

    `option` is what the user calls it. Raises UnavailableError when a file cannot be read.
    """
    if path is None:
        return weights(asset)
    files = [Path(path) / name for name in names] or [Path(path)]
    try:
        return {file.name: sha256_of(file) for file in files}
    except OSError as error:
        raise UnavailableError(
            f"{judge}: cannot read {error.filename}: {error.strerror}; give another `{option}`"
        ) from error
