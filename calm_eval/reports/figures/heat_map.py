"""A metric over two sampling parameters at once: a field a sampling, dark to light, with its value and interval."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from calm_eval.reports.figures.wish import Drawn, FigureWish, wished_metric, wished_rows
from calm_eval.reports.rounding import rounded
from calm_eval.reports.source import Source
from calm_eval.reports.style import GREY, axis_title, look, new_figure, save
from calm_eval.reports.tables.entries import entry_of
from calm_eval.reports.tables.grids import Grid, Place, grids, said
from calm_eval.reports.tables.model import EMPTY, Entry

_MOST = 4
"""Panels beside each other at most; more would not be read."""


def heat_map(source: Source, wish: FigureWish, stem: Path) -> Drawn | None:
    """Draw a panel for each system whose temperature and another parameter are swept; None where there is none.

    Fields that the sweep left out are hatched. One scale of shades for all panels; cividis, whose lightness grows
    evenly, so that the order survives in grey.
    """
    bound = wished_metric(source, wish)
    shown = [one for one in grids(wished_rows(source, wish)) if one.across][:_MOST]
    entries = [{place: entry_of(source.cell(row, bound)) for place, row in grid.rows.items()} for grid in shown]
    values = [entry.value for mine in entries for entry in mine.values() if entry.value is not None]
    if not values:
        return None
    with look():
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import Normalize

        widths = [max(2, len(grid.acrosses)) for grid in shown]
        tallest = max(len(grid.downs) for grid in shown)
        figure, first = new_figure(1.4 + 0.95 * sum(widths), 1.5 + 0.5 * tallest)
        first.remove()
        panels = figure.subplots(1, len(shown), squeeze=False, width_ratios=widths)[0]
        shades = ScalarMappable(Normalize(min(values), max(values)), "cividis")
        for axes, grid, mine in zip(panels, shown, entries, strict=True):
            _panel(axes, grid, mine, shades)
        figure.colorbar(shades, ax=list(panels), label=axis_title(bound.title, bound.spec), pad=0.02)
        save(figure, stem)
    fixed = "; ".join(f"{grid.base.system}: {grid.others}" for grid in shown if grid.others)
    return Drawn(
        f"{source.plan.suite.title}: {axis_title(bound.title, bound.spec)}, by two sampling parameters, 95 % intervals "
        "below the value. "
        f"Hatched: not made.{f' Held fixed: {fixed}.' if fixed else ''}",
        [bound],
    )


def _panel(axes: Any, grid: Grid, entries: Mapping[Place, Entry], shades: Any) -> None:
    from matplotlib.patches import Rectangle

    for y, down in enumerate(grid.downs):
        for x, across in enumerate(grid.acrosses):
            entry = entries.get((down, across), EMPTY)
            if entry.value is None:
                corner = (x - 0.5, y - 0.5)
                axes.add_patch(Rectangle(corner, 1, 1, linewidth=0.5, fc="white", ec="#bbbbbb", hatch="///"))
                continue
            colour = shades.to_rgba(entry.value)
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, edgecolor="white", linewidth=0.8))
            # Relative luminance (ITU-R BT.709): black on light fields, white on dark ones.
            light = 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]
            text, low, high = rounded(entry.value, entry.low, entry.high)
            ink = "black" if light > 0.5 else "white"
            look_of = {"ha": "center", "va": "center", "color": ink, "textcoords": "offset points"}
            axes.annotate(text, (x, y), (0, 4 if low is not None else 0), fontsize=8.5, **look_of)
            if low is not None:
                axes.annotate(f"[{low}, {high}]", (x, y), (0, -7), fontsize=6, **look_of)
    axes.set_xlim(-0.5, len(grid.acrosses) - 0.5)
    axes.set_ylim(len(grid.downs) - 0.5, -0.5)
    axes.set_xticks(range(len(grid.acrosses)), [said(one) for one in grid.acrosses])
    axes.set_yticks(range(len(grid.downs)), [said(one) for one in grid.downs])
    axes.set_xlabel(grid.across)
    axes.set_ylabel(grid.down)
    axes.set_title(grid.base.system, fontsize=8.5, color=GREY)
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(length=0)
