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


def rounded(
    value: float, low: float | None, high: float | None, *, places: int | None = None
) -> tuple[str, str | None, str | None]:
    """A value and the ends of its interval with the decimals that the interval bears, or with so many `places`.

    Three significant digits where there is no interval, or one of no width.
    """
    if places is None and low is not None and high is not None and low != high:
        places = decimals(low, high)
    if places is None or places > _MOST_PLACES:
        first, *ends = [None if number is None else three_digits(number) for number in (value, low, high)]
    else:
        first, *ends = [None if number is None else f"{number:z.{places}f}" for number in (value, low, high)]
    assert first is not None
    return first, ends[0], ends[1]


def with_interval(
    value: float, low: float | None, high: float | None, *, scale: float = 1.0, places: int | None = None
) -> str:
    """`5.8 [3.1, 9.0]`, rounded to the interval; three significant digits where there is none."""
    scaled = [None if number is None else number * scale for number in (value, low, high)]
    assert scaled[0] is not None
    shown, least, most = rounded(scaled[0], scaled[1], scaled[2], places=places)
    return shown if least is None or most is None else f"{shown} [{least}, {most}]"
