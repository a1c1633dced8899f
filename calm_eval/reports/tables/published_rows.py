"""Published numbers as the last block of a table: those of the suite's protocol whose metric is a column here."""

from __future__ import annotations

from collections.abc import Sequence

from calm_eval.reports.published import PublishedRow
from calm_eval.reports.published_table import printed
from calm_eval.reports.tables.chosen import NamedColumn
from calm_eval.reports.tables.model import Column, Entry, Row


def published_rows(
    published: Sequence[PublishedRow], columns: Sequence[Column], chosen: Sequence[NamedColumn]
) -> list[Row]:
    """One row for each system of each paper's table, as printed; numbers in another unit than the column's stay out.

    Secondary numbers have a dagger, and each row names its sources in a footnote.
    """
    keys = {
        (one.metric.spec.name, column.unit): column.key
        for column, one in zip(columns, chosen, strict=True)
        if one.metric is not None
    }
    found: dict[tuple[str, str, str], list[tuple[str, PublishedRow]]] = {}
    for row in published:
        key = keys.get((row.our_metric, row.unit))
        if key is not None:
            found.setdefault((row.table, row.system, row.variant), []).append((key, row))
    return [_row(system, variant, group) for (_, system, variant), group in found.items()]


def _row(system: str, variant: str, group: Sequence[tuple[str, PublishedRow]]) -> Row:
    entries = {key: Entry(words=printed(row) + ("†" if row.evidence == "secondary" else "")) for key, row in group}
    sources = dict.fromkeys(
        f"{row.source}{' (secondary: not read in the text of its authors)' if row.evidence == 'secondary' else ''}"
        for _, row in group
    )
    return Row(f"{system} ({variant})" if variant else system, "published", entries, (f"From {'; '.join(sources)}.",))
