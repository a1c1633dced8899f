"""Tables of a run by a layout, and their text in each format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from calm_eval.errors import InputError
from calm_eval.reports.source import Source
from calm_eval.reports.tables.ablation import ablation
from calm_eval.reports.tables.as_frame import csv
from calm_eval.reports.tables.as_latex import latex
from calm_eval.reports.tables.as_markdown import markdown_page
from calm_eval.reports.tables.matrix import latency, paper
from calm_eval.reports.tables.model import Table
from calm_eval.reports.tables.sweep import sweep
from calm_eval.runs.database import Database, storage_errors
from calm_eval.runs.order import command_of
from calm_eval.runs.paired import PairedRows
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
    suites = run.cells()
    names = [plan.suite.name for plan, _ in suites]
    if layout.suite is not None and layout.suite not in names:
        raise InputError(f"layout: no suite '{layout.suite}' in {run.folder}; suites: {', '.join(names)}")
    database = Database(run.folder, write=False)
    try:
        with storage_errors(run.folder):
            command = command_of(database)
            return [
                table
                for plan, cells in suites
                if layout.suite in (None, plan.suite.name)
                for table in LAYOUTS[layout.layout](Source(plan, cells, PairedRows(database, plan), command), layout)
            ]
    finally:
        database.close()
