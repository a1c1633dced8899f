"""Does a step cost more as the cache grows? A straight line through the step times of one generation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def slope(walls: ArrayLike) -> float | None:
    """Nanoseconds that each further step adds: the median of the slopes between all pairs of steps (Theil and Sen).

    It is blind to single slow steps, which a least-squares line is not. None under three steps. Long generations are
    thinned to 500 steps, evenly.
    """
    times = np.asarray(walls, dtype=np.float64)
    if len(times) < 3:
        return None
    places = np.unique(np.linspace(0, len(times) - 1, min(len(times), 500)).round().astype(np.int64))
    first, second = np.triu_indices(len(places), k=1)
    x, y = places.astype(np.float64), times[places]
    return float(np.median((y[second] - y[first]) / (x[second] - x[first])))
