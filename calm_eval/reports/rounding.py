"""Numbers with as many digits as their uncertainty bears."""

from __future__ import annotations

import math


def decimals(low: float, high: float) -> int:
    """Decimal places that show two significant digits of the interval's half width (0 to 6)."""
    half = (high - low) / 2
    if not half > 0:
        return 3
    return min(6, max(0, 1 - math.floor(math.log10(half))))


def with_interval(value: float, low: float | None, high: float | None, *, scale: float = 1.0) -> str:
    """`5.8 [3.1, 9.0]`, rounded to the interval; three significant digits where there is none."""
    if low is None or high is None:
        return f"{value * scale:.3g}"
    places = decimals(low * scale, high * scale)
    if low == high:
        return f"{value * scale:.3g} [{low * scale:.3g}, {high * scale:.3g}]"
    return f"{value * scale:.{places}f} [{low * scale:.{places}f}, {high * scale:.{places}f}]"
