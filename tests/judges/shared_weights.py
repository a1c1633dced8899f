"""Random weights that two implementations can share without a file, and clips to hear with them.

A tensor is drawn from its name and shape alone, so that a peer in another environment gets the same numbers. NumPy and
the standard library are all that this needs.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def drawn(name: str, shape: Sequence[int]) -> NDArray[np.float32]:
    """The tensor of this name: matrices keep the size of what passes, norms stay near 1, biases near 0."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    leaf = name.rsplit(".", 1)[-1]
    if leaf in ("running_var", "weight_g"):
        made = rng.uniform(0.5, 1.5, tuple(shape))
    elif leaf.endswith(("_embed", "_token")):
        made = 0.3 * rng.standard_normal(tuple(shape))
    elif len(shape) > 1:
        made = rng.standard_normal(tuple(shape)) * math.sqrt(1.5 / math.prod(shape[1:]))
    else:
        made = (leaf == "weight") + 0.1 * rng.standard_normal(tuple(shape))
    return np.asarray(made, dtype=np.float32)


def all_drawn(shapes: Mapping[str, Sequence[int]]) -> dict[str, NDArray[np.float32]]:
    """Every tensor by name."""
    return {name: drawn(name, shape) for name, shape in shapes.items()}


def parity_clip(kind: str, seconds: float, rate: int) -> NDArray[np.float32]:
    """`chord` (three partials that decay and return), `chirp` (100 Hz to 7 kHz) or `noise` (white), below 0.6."""
    time = np.arange(round(seconds * rate)) / rate
    if kind == "chord":
        decay = np.exp(-2 * (time % 1.5))
        made = 0.18 * decay * sum(np.sin(2 * np.pi * hertz * time) for hertz in (261.6, 329.6, 392.0))
    elif kind == "chirp":
        made = 0.5 * np.sin(2 * np.pi * (100 * time + 3450 * time**2 / seconds))
    elif kind == "noise":
        made = 0.1 * np.clip(np.random.default_rng(len(time)).standard_normal(len(time)), -5, 5)
    else:
        raise ValueError(f"no clip '{kind}'")
    return np.asarray(made, dtype=np.float32)
