"""A comparison of two runs as Markdown: what changed, what moved, and what the comparison could not have seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from calm_eval.reports.markdown import escape, table
from calm_eval.reports.rounding import three_digits, with_interval
from calm_eval.reports.shuffled_table import p_text
from calm_eval.runs.changes import Change
from calm_eval.runs.compare import ALPHA, Compared, Comparison
from calm_eval.stats.estimate import Estimate

_MOVED = ("worse", "better", "apart")


def compare_report(comparison: Comparison) -> str:
    """The page: changes, what moved, everything that was compared, what was not."""
    names = [escape(run.folder.resolve().name) for run in (comparison.before, comparison.after)]
    compared = comparison.compared
    moved = [one for one in compared if one.verdict in _MOVED]
    parts = [
        f"# {names[0]} and {names[1]}",
        f"Difference: {names[1]} less {names[0]}. Metrics with a value for each item are compared on the items and "
        "seeds that both runs scored, paired, with 95 % BCa interval; p is of the two-sided sign-flip test over items, "
        f"Holm over the lines of one suite and kind of metric; below {ALPHA:g} the line says better or worse. "
        "Detectable: the difference that this comparison alone would find in four of five repetitions. A metric of the "
        "whole set has no such test: its line says whether the 95 % intervals meet.",
        f"**{_summary(compared)}**",
        "## What changed around the numbers",
        _changes(comparison.changes) or "Nothing: systems, items, metrics, judges and environment are alike.",
        "## What moved",
        _lines(moved) or "Nothing that this comparison can tell.",
        "## All that was compared",
        _lines(compared) or "Nothing.",
    ]
    if comparison.left_out:
        rows = [[escape(name), escape(why)] for name, why in comparison.left_out]
        parts += ["## Not compared", table(["what", "why"], rows, numbers=False)]
    return "\n\n".join(parts) + "\n"


def _summary(compared: Sequence[Compared]) -> str:
    counts = Counter(one.verdict for one in compared)
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return f"{len(compared)} rows and metrics: {told or 'none'}."


def _changes(changes: Sequence[Change]) -> str:
    rows = [[one.what, escape(one.name), escape(one.before) or "–", escape(one.after) or "–"] for one in changes]
    return table(["what", "name", "before", "after"], rows, numbers=False) if rows else ""


def _lines(compared: Sequence[Compared]) -> str:
    if not compared:
        return ""
    header = ["suite", "row", "metric", "before", "after", "difference", "detectable", "n items", "p", ""]
    return table(header, [_line(one) for one in compared], numbers=False)


def _line(one: Compared) -> list[str]:
    spec, result = one.metric.spec, one.difference
    arrow = "↑" if spec.higher_is_better else "↓"
    difference = "–"
    if result is not None:
        difference = with_interval(result.difference, result.low, result.high, scale=spec.scale)
    elif one.before.value is not None and one.after.value is not None:
        difference = three_digits((one.after.value - one.before.value) * spec.scale)
    return [
        escape(one.suite),
        escape(one.row),
        f"{escape(one.metric.title)} ({escape(spec.unit)}) {arrow}",
        _value(one.before, spec.scale),
        _value(one.after, spec.scale),
        difference,
        "–" if one.detectable is None else three_digits(one.detectable * spec.scale),
        "–" if result is None else str(result.n_items),
        "–" if one.p is None else p_text(one.p),
        f"**{one.verdict}**" if one.verdict in _MOVED else one.verdict,
    ]


def _value(estimate: Estimate, scale: float) -> str:
    if estimate.value is None:
        return (
            f"– ({escape(estimate.invalid)})" if estimate.invalid else f"– ({estimate.n_scored}/{estimate.n_expected})"
        )
    return with_interval(estimate.value, estimate.low, estimate.high, scale=scale)
