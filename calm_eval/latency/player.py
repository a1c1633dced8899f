"""A listener at the other end: deadlines that steps miss, and a player that runs dry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


def miss_rate(walls: ArrayLike, deadline: float) -> float:
    """Share of steps [steps > 0] that take longer than the deadline, both in nanoseconds."""
    return float(np.mean(np.asarray(walls, dtype=np.float64) > deadline))


def deadline_curve(walls: ArrayLike, deadlines: ArrayLike) -> NDArray[np.float64]:
    """`miss_rate` for each deadline, shape [deadlines]; it falls as the deadline grows."""
    ordered = np.sort(np.asarray(walls, dtype=np.float64))
    later = len(ordered) - np.searchsorted(ordered, np.asarray(deadlines, dtype=np.float64), side="right")
    return np.asarray(later / len(ordered))


@dataclass(frozen=True)
class Playback:
    """`stalls`: how often the player had to wait for a frame; `stalled`: for how many nanoseconds in all."""

    stalls: int
    stalled: float


def play(ready: ArrayLike, period: float, buffer: int) -> Playback:
    """A player that starts when `buffer` frames are there and needs one more each `period`.

    `ready` [frames > 0]: when each frame was on the host, in nanoseconds, in order. A frame that is not there when it
    is due stalls the player until it comes; what follows is due so much later. Raises ValueError for no frame to wait
    for.
    """
    if buffer < 1:
        raise ValueError(f"a player buffers at least 1 frame, not {buffer}")
    times = np.asarray(ready, dtype=np.float64)
    due = times[min(buffer, len(times)) - 1]
    stalls, stalled = 0, 0.0
    for at in times:
        if at > due:
            stalls += 1
            stalled += at - due
            due = at
        due += period
    return Playback(stalls, float(stalled))
