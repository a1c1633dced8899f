"""The state of a training on disk: written whole or not at all, and only ever read back into the same training."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from reference_models.errors import ModelError

FILE = "state.pt"


def save_state(folder: Path, state: dict[str, Any]) -> None:
    """Write `state.pt` under a temporary name and rename it: a full disk leaves the last good one in place.

    Raises ModelError when it cannot be written.
    """
    part = folder / f".{FILE}.part"
    try:
        torch.save(state, part)
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        part.replace(folder / FILE)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        part.unlink(missing_ok=True)
        raise ModelError(f"cannot save the training to {folder}: {error}; the last good state is kept") from error


def load_state(folder: Path, about: dict[str, Any]) -> dict[str, Any]:
    """The state of a training that is `about` the same things. Raises ModelError when it is not, or cannot be read."""
    try:
        state: dict[str, Any] = torch.load(folder / FILE, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ModelError(f"{folder / FILE}: cannot be read: {error}") from error
    for key, wanted in about.items():
        if state["about"].get(key) != wanted:
            raise ModelError(
                f"{folder}: this training began with another {key} ({state['about'].get(key)}, now {wanted}): "
                "start anew in another folder"
            )
    return state
