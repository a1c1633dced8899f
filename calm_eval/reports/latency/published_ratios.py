"""Measured ratios beside the printed ones: same rows, other hardware, other scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from calm_eval.errors import InputError
from calm_eval.latency.compare import Comparison
from calm_eval.reports.latency.cells import NONE, head_share, name, times
from calm_eval.reports.markdown import escape, table
from calm_eval.reports.published import PublishedRow, load_published
from calm_eval.reports.published_table import printed

_COLUMNS = ("sampler speed-up", "overall speed-up", "head time")


def published_of(name: str) -> list[PublishedRow]:
    """The rows of a published table by its name. Raises InputError when there is no such table."""
    rows = load_published()
    found = [row for row in rows if row.table == name]
    if not found:
        raise InputError(f"no published table '{name}'; known: {', '.join(dict.fromkeys(row.table for row in rows))}")
    return found


def check_published(name: str, wanted: Sequence[tuple[str, str] | None]) -> None:
    """Raises InputError when a row's published system and variant are not in the table."""
    known = {(row.system, row.variant) for row in published_of(name)} if name else set()
    for one in wanted:
        if one is not None and one not in known:
            raise InputError(f"no row {one[0]} ({one[1]}) in the published table '{name}'")


def ratios_table(
    comparisons: Sequence[Comparison], table_name: str, stands_for: Mapping[str, tuple[str, str]]
) -> str | None:
    """`stands_for` gives the published system and variant of a row's name. None where no row has one."""
    shown = [one for one in comparisons if one.row.measured.row.name in stands_for]
    if not table_name or not shown:
        return None
    cells = {(row.system, row.variant, row.metric): row for row in published_of(table_name)}
    header = ["System", "stands for", "Head", "published", "End to end", "published", "Head's share", "published"]
    rows = []
    for one in shown:
        system, variant = stands_for[one.row.measured.row.name]
        told = [cells.get((system, variant, column)) for column in _COLUMNS]
        rows.append(
            [
                name(one.row),
                escape(f"{system} ({variant})"),
                times(one.head),
                _printed(told[0], "x "),
                times(one.end_to_end),
                _printed(told[1], "x "),
                head_share(one.row),
                _printed(told[2], ""),
            ]
        )
    return table(header, rows)


def _printed(row: PublishedRow | None, before: str) -> str:
    if row is None:
        return NONE
    after = " %" if row.unit == "%" else ""
    return f"{before}{printed(row)}{after}" + (" †" if row.evidence == "secondary" else "")
