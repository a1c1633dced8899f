"""Where the time of a step goes: one row a system, parts in milliseconds and in shares."""

from __future__ import annotations

from collections.abc import Sequence

from calm_eval.latency.summary import COLUMNS, Summary
from calm_eval.reports.latency.cells import MS, NONE, median, name, percent
from calm_eval.reports.markdown import table
from calm_eval.reports.rounding import three_digits


def anatomy_table(summaries: Sequence[Summary], percentiles: Sequence[float]) -> str:
    """Median step with its interval, these percentiles, then mean time and share of each part."""
    shares = [share for share in percentiles if share != 0.5]
    parts = [part for part in COLUMNS if any(part in one.parts for one in summaries) and part != "prefill"]
    header = ["System", "Generations x steps", "Step, ms", *(f"p{100 * share:g}, ms" for share in shares)]
    header += [f"{part}, ms" for part in parts]
    return table(header, [_row(one, shares, parts) for one in summaries])


def _row(summary: Summary, shares: Sequence[float], parts: Sequence[str]) -> list[str]:
    count = f"{len(summary.walls)} x {len(summary.walls[0])}" if summary.step is not None else NONE
    cells = [name(summary), count, median(summary.step)]
    cells += [_percentile(summary, share) for share in shares]
    return cells + [_part(summary, part) for part in parts]


def _percentile(summary: Summary, share: float) -> str:
    found = summary.percentiles.get(share)
    if found is None:
        return NONE
    more = summary.lacking_generations(share)
    if more:
        return f"needs {more} more generation{'s' if more > 1 else ''}"
    return three_digits(found.value * MS)


def _part(summary: Summary, part: str) -> str:
    found = summary.parts.get(part)
    return NONE if found is None else f"{three_digits(found.mean * MS)} ({percent(found.share)})"
