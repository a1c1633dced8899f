"""Tables of a run by a layout, and their text in each format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from calm_eval.reports.source import Source, opened
from calm_eval.reports.tables.ablation import ablation
from calm_eval.reports.tables.as_frame import csv
from calm_eval.reports.tables.as_latex import latex
from calm_eval.reports.tables.as_markdown import markdown_page
from calm_eval.reports.tables.matrix import latency, paper
from calm_eval.reports.tables.model import Table
from calm_eval.reports.tables.sweep import sweep
from calm_eval.runs.run import Run
from calm_eval.specs.layout import LayoutKind, LayoutSpec

LAYOUTS: Mapping[LayoutKind, Callable[[Source, LayoutSpec], list[Table]]] = {
    "paper": paper,
    "sweep": sweep,
    "ablation": ablation,
    "latency": latency,
}
FORMATS: Mapping[str, Callable[[Sequence[Table]], str]] = {
    "markdown": lambda tables: "\n".join(map(markdown_page, tables)),
    "latex": lambda tables: "\n".join(map(latex, tables)),
    "csv": csv,
}


def tables_of_run(run: Run, layout: LayoutSpec) -> list[Table]:
    """The tables of the layout's suite, or of all suites of the run.

    Raises InputError for a suite that the run has not, and for rows and columns that the suite has not.
    """
    with opened(run, layout.suite) as (sources, _):
        return [table for source in sources for table in LAYOUTS[layout.layout](source, layout)]
