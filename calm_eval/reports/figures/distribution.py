"""How the values of single items lie: a dot an item, the quartiles, and the mean, a line a row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import InputError
from calm_eval.reports.figures.wish import Drawn, FigureWish, axis_title, wished_metric, wished_rows
from calm_eval.reports.source import Source
from calm_eval.reports.style import COLOURS, GREY, look, new_figure, save

MOST_ROWS = 24
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
    names = [name for name in wished_rows(source, wish) if values.get(name)]
    if not wish.rows and len(names) > MOST_ROWS:
        # Each system at its defaults, and the controls.
        names = [row.name for row in source.plan.variants if row.name in names and row.name == row.system]
    if len(names) > MOST_ROWS:
        raise InputError(f"distribution: {len(names)} rows are too many to read, at most {MOST_ROWS}; name some")
    if not names:
        return None
    controls = {row.name for row in source.plan.variants if row.control}
    with look():
        figure, axes = new_figure(6.4, 1.1 + 0.32 * len(names))
        for place, name in enumerate(names):
            found = np.sort(np.array(list(values[name].values()))) * bound.spec.scale
            colour = GREY if name in controls else COLOURS[1]
            axes.scatter(found, place + _aside(len(found)), s=6, color=colour, alpha=0.35, linewidths=0)
            low, middle, high = np.percentile(found, [25, 50, 75])
            axes.hlines(place, low, high, color=colour, linewidth=4, alpha=0.75)
            axes.plot(middle, place, marker="|", markersize=11, markeredgewidth=1.8, color="black")
            mean = source.cell(next(row for row in source.plan.variants if row.name == name), bound).estimate.value
            if mean is not None:
                axes.plot(
                    mean * bound.spec.scale, place, marker="D", markersize=4.5, markerfacecolor="white",
                    markeredgecolor="black", linestyle="none",
                )  # fmt: skip
        axes.set_yticks(range(len(names)), names, fontsize=8)
        for label, name in zip(axes.get_yticklabels(), names, strict=True):
            label.set_style("italic" if name in controls else "normal")
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(axis_title(bound))
        save(figure, stem)
    return Drawn(
        f"{source.plan.suite.title}: {axis_title(bound)}. A dot is an item, its seeds together; bar: quartiles; "
        "stroke: median; diamond: the row's value in the tables. Grey, in italics: controls.",
        [bound],
    )


def _aside(count: int) -> NDArray[np.float64]:
    """Offsets of dots in the order of their values: the golden ratio's, so that neighbours never hide each other."""
    return np.asarray((np.arange(count) * 0.6180339887 % 1.0 - 0.5) * 2 * _SPREAD, dtype=np.float64)
