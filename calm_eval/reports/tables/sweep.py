"""What sampling parameters do, as tables: a parameter's values as rows, temperatures as columns."""

from __future__ import annotations

from dataclasses import replace

from calm_eval.metrics.bound import BoundMetric
from calm_eval.reports.source import Source
from calm_eval.reports.tables.captions import caption_of, fingerprints_of
from calm_eval.reports.tables.chosen import rows_of_layout
from calm_eval.reports.tables.entries import column_of, entry_of
from calm_eval.reports.tables.grids import Grid, grids, said
from calm_eval.reports.tables.marks import marks
from calm_eval.reports.tables.matrix import label_of
from calm_eval.reports.tables.model import Column, Row, Table
from calm_eval.specs.layout import LayoutSpec
from calm_eval.systems.protocol import Value


def sweep(source: Source, layout: LayoutSpec) -> list[Table]:
    """One table for each system and swept parameter: its values by those of the temperature, if that is swept too.

    All other parameters stand at the system's defaults. One metric: the layout's, or the suite's `pick`; no table where
    there is neither. Raises InputError for a metric that the suite has not.
    """
    name = layout.metric or source.plan.suite.pick
    if name is None:
        return []
    bound = source.metric(name)
    rows = [row.variant for row in rows_of_layout(source, layout)]
    return [_table(source, layout, bound, grid) for grid in grids(rows)]


def _table(source: Source, layout: LayoutSpec, bound: BoundMetric, grid: Grid) -> Table:
    cells = {place: source.cell(row, bound) for place, row in grid.rows.items()}
    marked = marks(list(cells.values()), source.pairs.p) if layout.marks else {}
    entries = {place: replace(entry_of(cell), mark=marked.get(cell.variant.name, "")) for place, cell in cells.items()}
    metric = column_of(next(iter(cells.values())), places=layout.decimals)
    columns = {value: _column(metric, grid.across, value) for value in grid.acrosses}
    rows = [
        Row(
            said(down),
            "system",
            {column.key: entries[down, value] for value, column in columns.items() if (down, value) in entries},
        )
        for down in grid.downs
    ]
    suite, system = source.plan.suite, grid.base.system
    return Table(
        title=layout.title or f"{suite.title}: {system}, {grid.down}{f' by {grid.across}' if grid.across else ''}",
        label=layout.label or label_of(f"{suite.name}-{system}-{grid.down}", "sweep"),
        columns=list(columns.values()),
        rows=rows,
        stub=grid.down,
        caption=layout.caption or f"{about(bound, grid)} {caption_of(source, layout, [bound], rows)}",
        command=source.command,
        fingerprints=fingerprints_of(source, [bound]),
        intervals=layout.intervals,
    )


def about(bound: BoundMetric, grid: Grid) -> str:
    """What is shown of which system, and what does not move."""
    better = "higher" if bound.spec.higher_is_better else "lower"
    fixed = f", at {grid.others}" if grid.others else ""
    return f"{bound.title} ({bound.spec.unit}, {better} is better) of {grid.base.system}{fixed}."


def _column(metric: Column, across: str | None, value: Value | None) -> Column:
    return metric if across is None else Column(f"{across}={value}", f"{across} {said(value)}", places=metric.places)
