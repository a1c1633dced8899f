"""Two rows item by item: each item's difference by size, and the mean difference with its interval."""

from __future__ import annotations

from pathlib import Path

from calm_eval.errors import InputError
from calm_eval.reports.figures.wish import Drawn, FigureWish, wished_metric, wished_rows
from calm_eval.reports.rounding import with_interval
from calm_eval.reports.source import Source
from calm_eval.reports.style import COLOURS, GREY, look, new_figure, save

_NAMED = 2
"""Items named at each end: those that a reader listens to first."""
_ROOM = 0.05
"""A name needs so much of the figure's height to itself."""


def differences(source: Source, wish: FigureWish, stem: Path) -> Drawn | None:
    """Draw the first row less the second; None where no item has a value in both.

    Raises InputError unless exactly two rows are asked for, and for a metric of the whole set.
    """
    bound = wished_metric(source, wish)
    rows = wished_rows(source, wish) if wish.rows else []
    if len(rows) != 2:
        raise InputError(f"differences: name two rows, got {len(rows)}")
    if bound.spec.kind == "set":
        raise InputError(f"differences: {bound.spec.name} has no value for each item")
    first, second = (row.name for row in rows)
    values = source.pairs.by_item(bound)
    mine, others = values.get(first, {}), values.get(second, {})
    scale = bound.spec.scale
    found = sorted(((mine[item] - others[item]) * scale, item) for item in mine.keys() & others.keys())
    result = source.pairs.compare(bound, first, second)
    if not found or result is None:
        return None
    higher = bound.spec.higher_is_better
    with look():
        figure, axes = new_figure(5.6, 3.4)
        for place, (value, _) in enumerate(found):
            better = value != 0 and (value > 0) == higher
            colour, marker = (COLOURS[1], "o") if better else (COLOURS[2], "s") if value != 0 else (GREY, "D")
            axes.vlines(place, 0, value, color=colour, linewidth=0.7, alpha=0.6)
            axes.plot(place, value, marker=marker, color=colour, markersize=3.2, linestyle="none")
        axes.axhline(0, color="black", linewidth=0.8)
        if result.low is not None and result.high is not None:
            axes.axhspan(result.low * scale, result.high * scale, color=GREY, alpha=0.18, linewidth=0)
        axes.axhline(result.difference * scale, color=GREY, linewidth=1.1, linestyle=(0, (5, 2)))
        height = max(found[-1][0], 0.0) - min(found[0][0], 0.0)
        for place in {*range(min(_NAMED, len(found))), *range(max(0, len(found) - _NAMED), len(found))}:
            value, item = found[place]
            left = place < len(found) / 2
            # A name beside its outer neighbour's goes towards 0, where it would lie over it.
            outer = found[max(0, place - 1) if left else min(len(found) - 1, place + 1)][0]
            aside = 0 if outer == value or abs(outer - value) > _ROOM * height else 9 if left else -9
            axes.annotate(
                _short(item),
                (place, value),
                xytext=(6 if left else -6, aside),
                textcoords="offset points",
                ha="left" if left else "right",
                va="center",
                fontsize=6,
                color=GREY,
            )
        axes.set_xlabel("items, by difference")
        axes.set_xticks([])
        axes.set_ylabel(f"{bound.title} ({bound.spec.unit})\n{_short(first)} less {_short(second)}", fontsize=8)
        save(figure, stem)
    told = with_interval(result.difference, result.low, result.high, scale=scale)
    ends = f"{'above' if higher else 'below'} 0 (round, blue) {first} is better, else (square, orange) {second}"
    return Drawn(
        f"{source.plan.suite.title}: {bound.title}, {first} less {second}, {len(found)} items, seeds averaged; "
        f"{ends}. Dashed, with band: the difference of the rows with its 95 % BCa interval, {told}.",
        [bound],
    )


def _short(text: str, most: int = 34) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
