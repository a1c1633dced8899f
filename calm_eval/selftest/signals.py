"""Golden signals: the same samples on every machine, at any sample rate that a judge asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SPOKEN = "the quick brown fox jumps over the lazy dog"
"""What `spoken` says, in an espeak-ng voice."""

SECONDS = 4.0


def signal(name: str, sample_rate: int) -> NDArray[np.float32]:
    """Samples [frames] in [-1, 1]. Raises KeyError for an unknown name."""
    if name == "spoken":
        return _spoken(sample_rate)
    times = np.arange(round(SECONDS * sample_rate)) / sample_rate
    return np.asarray(_MADE[name](times), dtype=np.float32)


def _spoken(sample_rate: int) -> NDArray[np.float32]:
    from calm_eval.audio.read import read_sound
    from calm_eval.audio.resample import to_mono

    return to_mono(read_sound(Path(__file__).with_name("spoken.flac")), sample_rate)


def _tone(times: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * 440.0 * times)


def _chord(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """C major, each note with five falling harmonics, struck anew every half second."""
    decay = np.exp(-3.0 * (times % 0.5))
    notes = sum(
        np.sin(2 * np.pi * note * harmonic * times) / harmonic
        for note in (261.626, 329.628, 391.995)
        for harmonic in range(1, 6)
    )
    return np.asarray(0.1 * decay * notes, dtype=np.float64)


def _noise(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """White noise of a fixed multiplicative congruence, so that no library's generator has a say."""
    state = (np.arange(1, len(times) + 1, dtype=np.uint64) * np.uint64(2654435761)) % np.uint64(2**32)
    mixed = (state ^ (state >> np.uint64(15))) * np.uint64(2246822519) % np.uint64(2**32)
    return np.asarray(0.2 * (mixed.astype(np.float64) / 2**31 - 1.0))


_MADE: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "silence": lambda times: np.zeros_like(times),
    "tone": _tone,
    "chord": _chord,
    "noise": _noise,
}
