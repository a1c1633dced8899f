"""Numbers with as many digits as their uncertainty bears."""

from __future__ import annotations

import math

_MOST_PLACES = 6


def decimals(low: float, high: float) -> int:
    """Decimal places that show two significant digits of the interval's half width (0 or more; 3 without a width)."""
    half = (high - low) / 2
    if not half > 0:
        return 3
    return max(0, 1 - math.floor(math.log10(half)))


def three_digits(value: float) -> str:
    """Three significant digits; from 1000 on all digits before the point, never an exponent."""
    return f"{value:.0f}" if abs(value) >= 999.5 else f"{value:z.3g}"


def with_interval(value: float, low: float | None, high: float | None, *, scale: float = 1.0) -> str:
    """`5.8 [3.1, 9.0]`, rounded to the interval; three significant digits where there is none."""
    if low is None or high is None:
        return three_digits(value * scale)
    shown = [number * scale for number in (value, low, high)]
    places = decimals(shown[1], shown[2])
    if low == high or places > _MOST_PLACES:
        first, *rest = [three_digits(number) for number in shown]
    else:
        first, *rest = [f"{number:z.{places}f}" for number in shown]
    return f"{first} [{rest[0]}, {rest[1]}]"
