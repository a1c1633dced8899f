"""A figure of a run by its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from calm_eval.errors import InputError
from calm_eval.reports.figures.differences import differences
from calm_eval.reports.figures.distribution import distribution
from calm_eval.reports.figures.heat_map import heat_map
from calm_eval.reports.figures.quality_diversity import quality_diversity
from calm_eval.reports.figures.set_size import set_size
from calm_eval.reports.figures.wish import Drawn, FigureWish, how
from calm_eval.reports.source import Source, opened
from calm_eval.runs.database import storage_errors
from calm_eval.runs.run import Run

FIGURES: Mapping[str, Callable[[Source, FigureWish, Path], Drawn | None]] = {
    "differences": differences,
    "distribution": distribution,
    "heat-map": heat_map,
    "quality-diversity": quality_diversity,
    "set-size": set_size,
}


def figure_of_run(run: Run, kind: str, wish: FigureWish, stem: Path, suite: str | None = None) -> str:
    """Draw `stem.svg` and `stem.png` and say what they show and how they were made.

    `suite` may be left out where the run has one. Raises InputError for what the run has not, and where there is
    nothing to draw.
    """
    if not stem.parent.is_dir():
        raise InputError(f"{stem.parent}: no such folder")
    with opened(run, suite) as (sources, _):
        if len(sources) > 1:
            names = ", ".join(one.plan.suite.name for one in sources)
            raise InputError(f"{run.folder} has several suites, name one: {names}")
        (source,) = sources
        with storage_errors(stem.parent):
            drawn = FIGURES[kind](source, wish, stem)
        if drawn is None:
            raise InputError(f"{kind}: nothing to draw in {source.plan.suite.name}")
        return how(source, drawn)
