"""A comparison of two runs as Markdown: what changed, what moved, and what the comparison could not have seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from calm_eval.reports.markdown import escape, table
from calm_eval.reports.rounding import three_digits, with_interval
from calm_eval.reports.shuffled_table import p_text
from calm_eval.runs.changes import Change
from calm_eval.runs.compare import Compared, Comparison
from calm_eval.stats.estimate import Estimate
from calm_eval.stats.verdict import ALPHA

_MOVED = ("worse", "better", "apart")


HEADER = ("suite", "row", "metric", "before", "after", "difference", "detectable", "n items", "p", "")
NO_CHANGES = "Nothing: systems, items, metrics, judges and environment are alike."
NOTHING_MOVED = "Nothing that this comparison can tell."


def compare_report(comparison: Comparison) -> str:
    """The page: changes, what moved, everything that was compared, what was not."""
    names = names_of(comparison)
    parts = [
        f"# {escape(names[0])} and {escape(names[1])}",
        escape(about(comparison)),
        f"**{summary(comparison.compared)}**",
        "## What changed around the numbers",
        _changes(comparison.changes) or NO_CHANGES,
        "## What moved",
        _lines(moved(comparison.compared)) or NOTHING_MOVED,
        "## All that was compared",
        _lines(comparison.compared) or "Nothing.",
    ]
    if comparison.left_out:
        rows = [[escape(name), escape(why)] for name, why in comparison.left_out]
        parts += ["## Not compared", table(["what", "why"], rows, numbers=False)]
    return "\n\n".join(parts) + "\n"


def names_of(comparison: Comparison) -> tuple[str, str]:
    """The names of the two run folders."""
    return comparison.before.folder.resolve().name, comparison.after.folder.resolve().name


def about(comparison: Comparison) -> str:
    """How the comparison was made, in words."""
    before, after = names_of(comparison)
    return (
        f"Difference: {after} less {before}. Metrics with a value for each item are compared on the items and "
        "seeds that both runs scored, paired, with 95 % BCa interval; p is of the two-sided sign-flip test over items, "
        f"Holm over the lines of one suite and kind of metric; below {ALPHA:g} the line says better or worse. "
        "Detectable: the difference that this comparison alone would find in four of five repetitions. A metric of the "
        "whole set has no such test: its line says whether the 95 % intervals meet."
    )


def moved(compared: Sequence[Compared]) -> list[Compared]:
    """What is better, worse or apart."""
    return [one for one in compared if one.verdict in _MOVED]


def summary(compared: Sequence[Compared]) -> str:
    """How many lines there are, and of which verdict."""
    counts = Counter(one.verdict for one in compared)
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return f"{len(compared)} rows and metrics: {told or 'none'}."


def line_texts(one: Compared) -> list[str]:
    """A line under `HEADER`, as plain text."""
    spec, result = one.metric.spec, one.difference
    difference = "–"
    if result is not None:
        difference = with_interval(result.difference, result.low, result.high, scale=spec.scale)
    elif one.before.value is not None and one.after.value is not None:
        difference = three_digits((one.after.value - one.before.value) * spec.scale)
    return [
        one.suite,
        one.row,
        f"{one.metric.title} ({spec.unit}) {'↑' if spec.higher_is_better else '↓'}",
        _value(one.before, spec.scale),
        _value(one.after, spec.scale),
        difference,
        "–" if one.detectable is None else three_digits(one.detectable * spec.scale),
        "–" if result is None else str(result.n_items),
        "–" if one.p is None else p_text(one.p),
        one.verdict,
    ]


def change_texts(changes: Sequence[Change]) -> list[list[str]]:
    """What changed, as plain text: what, name, before, after."""
    return [[one.what, one.name, one.before or "–", one.after or "–"] for one in changes]


def _changes(changes: Sequence[Change]) -> str:
    rows = [[escape(text) for text in line] for line in change_texts(changes)]
    return table(["what", "name", "before", "after"], rows, numbers=False) if rows else ""


def _lines(compared: Sequence[Compared]) -> str:
    return table(HEADER, [_line(one) for one in compared], numbers=False) if compared else ""


def _line(one: Compared) -> list[str]:
    texts = line_texts(one)
    # Numbers stand as they are; what names or reasons hold is made literal.
    named = [escape(text) for text in texts[:3]]
    values = [
        escape(text) if side.value is None else text
        for text, side in zip(texts[3:5], (one.before, one.after), strict=True)
    ]
    return [*named, *values, *texts[5:-1], f"**{one.verdict}**" if one.verdict in _MOVED else one.verdict]


def _value(estimate: Estimate, scale: float) -> str:
    if estimate.value is None:
        return f"– ({estimate.invalid or f'{estimate.n_scored}/{estimate.n_expected}'})"
    return with_interval(estimate.value, estimate.low, estimate.high, scale=scale)
