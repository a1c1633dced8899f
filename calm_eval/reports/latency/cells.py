"""Times as text: milliseconds with as many digits as they bear."""

from __future__ import annotations

from calm_eval.latency.compare import Speedup
from calm_eval.latency.summary import Median, Summary
from calm_eval.reports.markdown import escape
from calm_eval.reports.rounding import three_digits, with_interval

MS = 1e-6
"""Milliseconds of a nanosecond."""
NONE = "-"


def milliseconds(nanoseconds: float | None) -> str:
    """Three significant digits, or a dash."""
    return NONE if nanoseconds is None else three_digits(nanoseconds * MS)


def median(one: Median | None) -> str:
    """`5.8 [5.7, 5.9]` in milliseconds, or a dash."""
    if one is None:
        return NONE
    low, high = one.interval if one.interval is not None else (None, None)
    return with_interval(one.value, low, high, scale=MS)


def percent(share: float | None) -> str:
    """A share as a percentage with one place, or a dash."""
    return NONE if share is None else f"{100 * share:.1f} %"


def name(summary: Summary) -> str:
    """A row's name; an untrained one says so."""
    row = summary.measured.row
    return escape(row.name) + (f" ({escape(row.unscored)})" if row.unscored else "")


def times(one: Speedup | None) -> str:
    """`x 1.48 [1.40, 1.57]`, or a dash."""
    if one is None:
        return NONE
    low, high = one.interval if one.interval is not None else (None, None)
    return f"x {with_interval(one.value, low, high)}"


def head_share(summary: Summary) -> str:
    """The head's share of a step, or a dash."""
    found = summary.parts.get("head")
    return percent(None if found is None else found.share)
