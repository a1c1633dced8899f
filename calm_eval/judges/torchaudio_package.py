"""torchaudio, which some networks are taken from, and what a user is told where it cannot be imported."""

from __future__ import annotations

import importlib
from typing import Any

from calm_eval.errors import UnavailableError

EXTRA = "torchaudio"


def torchaudio_models(judge: str) -> Any:
    """The module `torchaudio.models`. Raises UnavailableError saying what to install, and why it is not there."""
    try:
        return importlib.import_module("torchaudio.models")
    # Where its binary and PyTorch's do not go together, its import raises OSError or RuntimeError.
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise UnavailableError(
            f"{judge} needs torchaudio, built for the PyTorch that is here: install calm-eval[{EXTRA}] "
            f"({type(error).__name__}: {error})"
        ) from error
