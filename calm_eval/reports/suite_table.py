"""The table of one suite in a report: a row a variant, a column a metric, intervals in every cell, cost and n."""

from __future__ import annotations

from collections.abc import Sequence

from calm_eval.reports.markdown import escape
from calm_eval.reports.source import Source
from calm_eval.reports.tables.as_markdown import entry_text, heading, markdown
from calm_eval.reports.tables.captions import marks_text
from calm_eval.reports.tables.entries import column_of, entry_of
from calm_eval.reports.tables.matrix import COUNT, HEADS, rows_by_metrics
from calm_eval.runs.aggregate import Cell
from calm_eval.specs.layout import LayoutSpec

COST = (heading(HEADS), heading(COUNT))
"""The last columns of a table of rows: what a second of audio costs, and how much the row rests on."""


def suite_table(source: Source, columns: Sequence[str]) -> str:
    """The Markdown table of these metrics, controls in italics below the systems, with what its marks mean."""
    table = rows_by_metrics(source, LayoutSpec(layout="paper", published=False), columns)
    told = marks_text(source.metrics, table.rows, "in italics")
    return "\n\n".join([markdown(table), *([told] if told else [])])


def cost_cells(cell: Cell) -> list[str]:
    """The last columns of the row of a cell: a dash for what has no head, and what was planned."""
    heads, estimate = cell.variant.head_evaluations, cell.estimate
    return ["–" if heads is None else f"{heads:g}", f"{estimate.n_expected // estimate.seeds} × {estimate.seeds}"]


def cell_text(cell: Cell) -> str:
    """Value, interval, warnings, and the count when something is missing; or the reason why there is no value."""
    return entry_text(entry_of(cell))


def column_title(cell: Cell) -> str:
    """Title, unit and direction of a metric's column, escaped."""
    return heading(column_of(cell))


def headings(cells: Sequence[Cell]) -> list[str]:
    """Column titles; where two would be alike, the judge and the fingerprint tell them apart."""
    titles = [column_title(cell) for cell in cells]
    return [
        title if titles.count(title) == 1 else f"{title}, {escape(cell.metric.preset)} {cell.metric.fingerprint[:6]}"
        for title, cell in zip(titles, cells, strict=True)
    ]


def chosen_metrics(cells: Sequence[Cell], columns: Sequence[str]) -> list[str]:
    """Fingerprints of the metrics of these names, in their order; a name may stand for several."""
    return list(
        dict.fromkeys(cell.metric.fingerprint for name in columns for cell in cells if cell.metric.spec.name == name)
    )
