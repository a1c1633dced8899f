"""What arithmetic on one sound, or on two that lie over each other, asks of its input."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Samples = NDArray[np.float64]
"""Float64 samples of one channel, shape [frames]."""


class SignalError(ValueError):
    """A sound on which a quantity is not defined.

    `name` is `empty` (no sample), `nan` (a sample not finite), `silent` (no sound where one is needed), `too-short`,
    `unequal-lengths`, or a name that a function gives in its docstring.
    """

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name


def mono(audio: ArrayLike) -> Samples:
    """Samples of shape [frames > 0] as float64. Raises SignalError (`empty`, `nan`), ValueError on another shape."""
    samples = np.asarray(audio, dtype=np.float64)
    if samples.ndim != 1:
        raise ValueError(f"expected samples of shape [frames], got {samples.shape}")
    if samples.size == 0:
        raise SignalError("empty", "no sample")
    if not np.isfinite(samples).all():
        raise SignalError("nan", "a sample is not finite")
    return samples


def mono_pair(generated: ArrayLike, reference: ArrayLike) -> tuple[Samples, Samples]:
    """Two sounds of one length, aligned sample by sample, as float64 [frames > 0].

    Nothing is cut or padded: which part of two sounds belongs together is not for a metric to guess. Raises
    SignalError (`empty`, `nan`, `unequal-lengths`), ValueError on another shape.
    """
    first, second = mono(generated), mono(reference)
    if first.size != second.size:
        raise SignalError("unequal-lengths", f"{first.size} and {second.size} samples are not aligned")
    return first, second
