"""A logarithmic axis of plain numbers, with labels enough where it spans less than a decade."""

from __future__ import annotations

from typing import Any

from calm_eval.reports.style import DASHES

LINES: tuple[Any, ...] = ("-", *DASHES)
"""How the lines of a figure differ beside their colours."""


def plain_log(axis: Any) -> None:
    """Label an axis whose limits are set and whose scale is logarithmic."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    if high / low <= 12:
        steps: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)
    else:
        steps = (1.0, 2.0, 5.0) if high / low < 1000 else (1.0,)
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
