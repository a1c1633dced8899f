"""How the values of single items lie: a dot an item, the quartiles, and the mean, a line a row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import InputError
from calm_eval.reports.figures.wish import Drawn, FigureWish, wished_metric, wished_rows
from calm_eval.reports.source import Source
from calm_eval.reports.style import COLOURS, GREY, axis_title, look, new_figure, save

MOST_ROWS = 24
FAR = 0.5
"""Dots beyond the axis by more than this share of it are drawn at its edge."""
_SPREAD = 0.28
"""How far dots lie from the middle of their line, as a share of the distance of lines."""


def distribution(source: Source, wish: FigureWish, stem: Path) -> Drawn | None:
    """Draw the values of each item (its seeds together) by row; None where no row has any.

    Of more than `MOST_ROWS` rows those at their system's defaults. Raises InputError for a metric of the whole set and
    where more rows are named.
    """
    bound = wished_metric(source, wish)
    if bound.spec.kind == "set":
        raise InputError(f"distribution: {bound.spec.name} has no value for each item")
    values = source.pairs.by_item(bound)
    rows = [row for row in wished_rows(source, wish) if values.get(row.name)]
    if not wish.rows and len(rows) > MOST_ROWS:
        # Each system at its defaults, and the controls.
        rows = [row for row in rows if row.name == row.system]
    if len(rows) > MOST_ROWS:
        raise InputError(f"distribution: {len(rows)} rows are too many to read, at most {MOST_ROWS}; name some")
    if not rows:
        return None
    with look():
        figure, axes = new_figure(6.4, 1.1 + 0.32 * len(rows))
        ends = _ends([np.array(list(values[row.name].values())) * bound.spec.scale for row in rows])
        axes.set_xlim(*ends)
        for place, row in enumerate(rows):
            found = np.sort(np.array(list(values[row.name].values()))) * bound.spec.scale
            colour = GREY if row.control else COLOURS[1]
            axes.scatter(found, place + _aside(len(found)), s=6, color=colour, alpha=0.35, linewidths=0)
            _beyond(axes, found, place, ends)
            low, middle, high = np.percentile(found, [25, 50, 75])
            axes.hlines(place, low, high, color=colour, linewidth=4, alpha=0.75)
            axes.plot(middle, place, marker="|", markersize=11, markeredgewidth=1.8, color="black")
            mean = source.cell(row, bound).estimate.value
            if mean is not None:
                axes.plot(
                    mean * bound.spec.scale, place, marker="D", markersize=4.5, markerfacecolor="white",
                    markeredgecolor="black", linestyle="none",
                )  # fmt: skip
        axes.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=8)
        for label, row in zip(axes.get_yticklabels(), rows, strict=True):
            label.set_style("italic" if row.control else "normal")
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(axis_title(bound.title, bound.spec))
        save(figure, stem)
    return Drawn(
        f"{source.plan.suite.title}: {axis_title(bound.title, bound.spec)}. A dot is an item, its seeds together "
        "(arrows: beyond the axis); "
        "bar: quartiles; stroke: median; diamond: the row's value in the tables. Grey, in italics: controls.",
        [bound],
    )


def _ends(rows: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """The axis: all dots, but for single ones so far out that the rest would not be read."""
    low, high = min(float(row.min()) for row in rows), max(float(row.max()) for row in rows)
    near = [np.percentile(row, [2, 98]) for row in rows]
    bottom, top = min(float(one[0]) for one in near), max(float(one[1]) for one in near)
    width = max(top - bottom, 1e-12)
    if high - top > FAR * width:
        high = top
    if bottom - low > FAR * width:
        low = bottom
    return low - 0.05 * (high - low or 1.0), high + 0.05 * (high - low or 1.0)


def _beyond(axes: Any, found: NDArray[np.float64], place: int, ends: tuple[float, float]) -> None:
    """An arrow at the edge, with the value, for what lies beyond it."""
    for outside, edge, marker, side in (
        (found[found < ends[0]], ends[0], "<", "left"),
        (found[found > ends[1]], ends[1], ">", "right"),
    ):
        if outside.size:
            told = ", ".join(f"{value:.3g}" for value in outside[:3]) + (" ..." if outside.size > 3 else "")
            axes.plot(edge, place, marker=marker, markersize=5, color=GREY, clip_on=False, linestyle="none")
            axes.annotate(
                told, (edge, place), xytext=(-6 if side == "right" else 6, 6), textcoords="offset points",
                ha=side, fontsize=6, color=GREY,
            )  # fmt: skip


def _aside(count: int) -> NDArray[np.float64]:
    """Offsets of dots in the order of their values: the golden ratio's, so that neighbours never hide each other."""
    return np.asarray((np.arange(count) * 0.6180339887 % 1.0 - 0.5) * 2 * _SPREAD, dtype=np.float64)
