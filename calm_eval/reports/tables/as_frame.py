"""Tables as a pandas table and as CSV: one record for each entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from calm_eval.reports.tables.model import Table

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "table", "row", "kind", "column", "unit", "higher_is_better", "value", "low", "high", "words", "scored", "expected",
    "mark", "notes", "key",
)  # fmt: skip


def frame(tables: Sequence[Table]) -> pd.DataFrame:
    """One record for each row and column of each table, values as they are shown but not rounded.

    `words` stands where there is no number. `scored` and `expected` are there only where they differ. `key` is the
    metric's fingerprint.
    """
    import pandas as pd

    records = []
    for table in tables:
        for row in (row for block in table.blocks() for row in block):
            for column in table.columns:
                entry = row.entry(column)
                scored, expected = entry.counted or (None, None)
                told = (
                    table.title, row.name, row.kind, column.title, column.unit, column.higher_is_better, entry.value,
                    entry.low, entry.high, entry.words, scored, expected, entry.mark,
                    "; ".join((*row.notes, *entry.warnings, *entry.notes)), column.key,
                )  # fmt: skip
                records.append(dict(zip(COLUMNS, told, strict=True)))
    return pd.DataFrame(records, columns=list(COLUMNS))


def csv(tables: Sequence[Table]) -> str:
    """`frame` as CSV, UTF-8, quoted where needed."""
    text: str = frame(tables).to_csv(index=False)
    return text
