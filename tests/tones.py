"""The sound that the tests' suites are made of."""

from __future__ import annotations

import numpy as np


def tone(seconds: float, frequency: float = 440.0, rate: int = 16000) -> np.ndarray:
    """A sine at half of full scale, float32 [frames]."""
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)).astype(np.float32)
