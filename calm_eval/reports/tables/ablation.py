"""Rows against one of them: each metric beside its difference from the baseline, paired item by item."""

from __future__ import annotations

from dataclasses import replace

from calm_eval.errors import InputError
from calm_eval.metrics.bound import BoundMetric
from calm_eval.reports.source import Source
from calm_eval.reports.tables.chosen import NamedRow, columns_of_layout, rows_of_layout
from calm_eval.reports.tables.matrix import rows_by_metrics
from calm_eval.reports.tables.model import Column, Entry, Table
from calm_eval.specs.layout import LayoutSpec
from calm_eval.stats.holm import holm
from calm_eval.stats.paired import PairedDifference
from calm_eval.stats.verdict import ALPHA


def ablation(source: Source, layout: LayoutSpec) -> list[Table]:
    """The layout `paper` with a column of differences behind each metric that has a value for each item.

    The baseline is the layout's, or the first row. Raises InputError for a baseline that is no row.
    """
    suite = source.plan.suite
    default = suite.table or [one.spec.name for one in source.metrics]
    plain = rows_by_metrics(source, layout, default)
    rows = rows_of_layout(source, layout)
    base = _baseline(rows, layout)
    chosen = [one.metric for one in columns_of_layout(source, layout, default)]
    found = _differences(source, [one for one in chosen if one is not None], rows, base)
    columns: list[Column] = []
    for column in plain.columns:
        columns.append(column)
        if any(key == column.key for key, _ in found):
            columns.append(Column(f"{column.key}/difference", "Δ", column.unit, None, column.places))
    lines = list(plain.rows)
    for place, row in enumerate(rows):
        extra = {f"{key}/difference": entry for (key, name), entry in found.items() if name == row.variant.name}
        lines[place] = replace(lines[place], entries={**lines[place].entries, **extra})
    told = (
        f" Δ: less {base.name}, paired by item, 95 % BCa interval; *: p < {ALPHA:.0%} (sign-flip test over items, Holm "
        "over the table)."
    )
    caption = layout.caption or plain.caption + told
    return [replace(plain, columns=columns, rows=lines, caption=caption)]


def _baseline(rows: list[NamedRow], layout: LayoutSpec) -> NamedRow:
    if layout.baseline is None:
        return rows[0]
    for row in rows:
        if row.variant.name == layout.baseline:
            return row
    raise InputError(f"layout: baseline '{layout.baseline}' is no row; rows: {', '.join(row.name for row in rows)}")


def _differences(
    source: Source, metrics: list[BoundMetric], rows: list[NamedRow], base: NamedRow
) -> dict[tuple[str, str], Entry]:
    """By metric and row; only of rows that are no controls and have values in common with the baseline."""
    found: dict[tuple[str, str], tuple[BoundMetric, PairedDifference]] = {}
    for bound in metrics:
        for row in rows:
            if row is not base and not row.variant.control:
                result = source.pairs.compare(bound, row.variant.name, base.variant.name)
                if result is not None:
                    found[bound.fingerprint, row.variant.name] = (bound, result)
    tested = [key for key, (_, result) in found.items() if result.p is not None]
    adjusted = dict(zip(tested, holm([p for key in tested if (p := found[key][1].p) is not None]), strict=True))
    return {key: _entry(result, bound.spec.scale, adjusted.get(key)) for key, (bound, result) in found.items()}


def _entry(result: PairedDifference, scale: float, p: float | None) -> Entry:
    low, high = (None if end is None else end * scale for end in (result.low, result.high))
    return Entry(result.difference * scale, low, high, sign="*" if p is not None and p < ALPHA else "")
