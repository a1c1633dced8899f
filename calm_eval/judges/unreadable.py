"""Why a checkpoint cannot be read, in one sentence for a person."""

from __future__ import annotations

import pickle
import re


def cause(error: Exception) -> str:
    """What PyTorch, pickle or safetensors say, without what follows: PyTorch goes on with how to run a file's code."""
    said = str(error).strip()
    if isinstance(error, pickle.UnpicklingError):
        objects = re.findall(r"GLOBAL (\S+)", said)
        return f"it holds objects of {objects[0]}" if objects else "it holds no tensors, or more than tensors"
    lines = said.splitlines() or ["it ends too early"]
    first = lines[0].partition(". ")[0]
    if first.endswith(":") and len(lines) > 1:  # a heading over what is wrong
        first = f"{first} {lines[1].strip()}"
    return f"{type(error).__name__}: {first}"
