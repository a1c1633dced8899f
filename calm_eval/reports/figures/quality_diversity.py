"""Quality and diversity against temperature: what a colder system gains in one it may lose in the other."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from calm_eval.errors import InputError
from calm_eval.reports.figures.wish import Drawn, FigureWish, wished_metric, wished_rows
from calm_eval.reports.source import Source
from calm_eval.reports.style import axis_title, look, new_figure, save
from calm_eval.reports.sweep_plot import Line, draw_line, range_of, scale_axis, sweep_lines
from calm_eval.reports.tables.grids import ACROSS


def quality_diversity(source: Source, wish: FigureWish, stem: Path) -> Drawn | None:
    """Draw two panels, one above the other, over temperature; None where no temperature is swept, or where
    either metric has no values there.

    `wish.metric` is the quality, `wish.second` the diversity. Raises InputError where the second is not named.
    """
    if wish.second is None:
        raise InputError("quality-diversity: name the second metric, that of diversity")
    quality = wished_metric(source, wish)
    diversity = source.metric(wish.second)
    names = {row.name for row in wished_rows(source, wish)}
    panels = []
    for bound in (quality, diversity):
        cells = [
            cell for cell in source.cells if cell.metric.fingerprint == bound.fingerprint and cell.variant.name in names
        ]
        panels.append((bound, sweep_lines(cells).get(ACROSS, [])))
    if not all(lines for _, lines in panels):
        return None
    systems = list(dict.fromkeys(line.system for _, lines in panels for line in lines))
    with look():
        figure, first = new_figure(5.2, 4.8)
        first.remove()
        places = figure.subplots(2, 1, sharex=True)
        handles: dict[str, Any] = {}
        every: list[Line] = [line for _, lines in panels for line in lines]
        for axes, (bound, lines) in zip(places, panels, strict=True):
            scale_axis(axes, ACROSS, every)
            for line in lines:
                handles[line.system] = draw_line(axes, line, systems.index(line.system), 0.0, bound.spec)
            axes.set_ylabel(textwrap.fill(axis_title(bound.title, bound.spec), 30), fontsize=8)
            bottom, top = range_of(lines, bound.spec)
            axes.set_ylim(bottom - 0.08 * (top - bottom), top + 0.08 * (top - bottom))
        places[1].set_xlabel(ACROSS)
        figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=2, fontsize=8)
        save(figure, stem)
    return Drawn(
        f"{source.plan.suite.title}: {quality.title} and {diversity.title} against temperature, other parameters at "
        "each system's defaults (larger marker), 95 % intervals. A temperature is a noise variance for a continuous "
        "head and a softmax's for a discrete one: compare shapes, not positions.",
        [quality, diversity],
    )
