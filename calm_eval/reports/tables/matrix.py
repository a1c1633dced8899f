"""Rows of a suite by its metrics: the layouts `paper` and `latency`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from calm_eval.reports.published import published_for
from calm_eval.reports.source import Source
from calm_eval.reports.tables.captions import caption_of, fingerprints_of
from calm_eval.reports.tables.chosen import NamedColumn, NamedRow, columns_of_layout, rows_of_layout
from calm_eval.reports.tables.entries import column_of, entry_of
from calm_eval.reports.tables.marks import marks
from calm_eval.reports.tables.model import Column, Entry, Row, Table
from calm_eval.reports.tables.published_rows import published_rows
from calm_eval.specs.layout import LayoutSpec

HEADS = Column("heads", "Head evaluations", "per s of audio")
COUNT = Column("n", "n", "items × seeds")


def paper(source: Source, layout: LayoutSpec) -> list[Table]:
    """One row a variant; the suite's columns, what a second of audio costs, and how much a row rests on."""
    suite = source.plan.suite
    return [rows_by_metrics(source, layout, suite.table or [one.spec.name for one in source.metrics])]


def latency(source: Source, layout: LayoutSpec) -> list[Table]:
    """The timed rows by the metrics of time. No table for a suite without any."""
    timing = [one.spec.name for one in source.metrics if one.spec.timing]
    if not timing and not layout.columns:
        return []
    # Nothing generates the controls, so there is nothing to time.
    return [rows_by_metrics(source, layout.model_copy(update={"controls": False}), timing, ": latency")]


def rows_by_metrics(source: Source, layout: LayoutSpec, default: Sequence[str], what: str = "") -> Table:
    """The table; `default` are the columns where the layout names none. Raises InputError for unknown names."""
    suite, rows = source.plan.suite, rows_of_layout(source, layout)
    chosen = columns_of_layout(source, layout, default)
    columns = _distinct([_column(one, source, rows, layout) for one in chosen], chosen)
    entries: dict[str, dict[str, Entry]] = {row.variant.name: {} for row in rows}
    for column, one in zip(columns, chosen, strict=True):
        for row, entry in zip(rows, _entries(source, one, rows, layout), strict=True):
            entries[row.variant.name][column.key] = entry
    lines = [Row(row.name, "control" if row.variant.control else "system", entries[row.variant.name]) for row in rows]
    lines += published_rows(published_for(suite.name), columns, chosen) if layout.published else []
    return Table(
        title=layout.title or f"{suite.title}{what}",
        label=layout.label or label_of(suite.name, layout.layout),
        columns=columns,
        rows=lines,
        caption=layout.caption or caption_of(source, layout, [one.metric for one in chosen], lines),
        command=source.command,
        fingerprints=fingerprints_of(source, [one.metric for one in chosen]),
        intervals=layout.intervals,
    )


def label_of(suite: str, layout: str) -> str:
    """`mini-music-continuation-paper`."""
    return re.sub(r"[^a-z0-9]+", "-", f"{suite}-{layout}".lower()).strip("-")


def _entries(source: Source, one: NamedColumn, rows: Sequence[NamedRow], layout: LayoutSpec) -> list[Entry]:
    if one.metric is None:
        told = heads_entry if one.use.column == HEADS.key else count_entry
        return [told(source, row) for row in rows]
    cells = [source.cell(row.variant, one.metric) for row in rows]
    marked = marks(cells, source.pairs.p) if layout.marks else {}
    return [replace(entry_of(cell), mark=marked.get(cell.variant.name, "")) for cell in cells]


def heads_entry(source: Source, row: NamedRow) -> Entry:
    """Head evaluations per second of audio; a dash for what has no head."""
    heads = row.variant.head_evaluations
    return Entry(words="–" if heads is None else f"{heads:g}")


def count_entry(source: Source, row: NamedRow) -> Entry:
    """Planned items and seeds."""
    estimate = source.cell(row.variant, source.metrics[0]).estimate
    return Entry(words=f"{estimate.n_expected // estimate.seeds} × {estimate.seeds}")


def _column(one: NamedColumn, source: Source, rows: Sequence[NamedRow], layout: LayoutSpec) -> Column:
    places = one.use.decimals if one.use.decimals is not None else layout.decimals
    if one.metric is None:
        column = HEADS if one.use.column == HEADS.key else COUNT
        return replace(column, title=one.use.name or column.title)
    return column_of(source.cell(rows[0].variant, one.metric), one.use.name, places)


def _distinct(columns: Sequence[Column], chosen: Sequence[NamedColumn]) -> list[Column]:
    """Where two titles would be alike, the judge and the fingerprint tell them apart."""
    titles = [column.title for column in columns]
    return [
        replace(column, title=f"{column.title}, {one.metric.preset} {one.metric.fingerprint[:6]}")
        if one.metric is not None and titles.count(column.title) > 1
        else column
        for column, one in zip(columns, chosen, strict=True)
    ]
