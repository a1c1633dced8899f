"""A table as data: columns, rows and entries, before any markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Mark = Literal["", "best", "tied", "second"]
"""What an entry is among the systems of its column: the best, not distinguishable from it, the best of the others."""
RowKind = Literal["system", "control", "published"]
KINDS: tuple[RowKind, ...] = ("system", "control", "published")


@dataclass(frozen=True)
class Column:
    """`key` is unique in a table. `higher_is_better` is None where neither side is better (cost, counts).

    `places` fixes the decimals; None leaves them to the intervals.
    """

    key: str
    title: str
    unit: str = ""
    higher_is_better: bool | None = None
    places: int | None = None


@dataclass(frozen=True)
class Entry:
    """A number in the column's unit with its interval, or the words that stand where there is none.

    `sign` stands behind the value and is explained in the caption. `counted` is (scored, expected) where they differ.
    `notes` are footnotes of this entry; `warnings` are names that a
    reader of the value must see beside it.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    words: str = ""
    sign: str = ""
    counted: tuple[int, int] | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    mark: Mark = ""


EMPTY = Entry(words="–")


@dataclass(frozen=True)
class Row:
    """One line; a column that is not among its `entries` is empty. `notes` are footnotes of its name."""

    name: str
    kind: RowKind
    entries: Mapping[str, Entry]
    notes: tuple[str, ...] = ()

    def entry(self, column: Column) -> Entry:
        """What stands in a column."""
        return self.entries.get(column.key, EMPTY)


@dataclass(frozen=True)
class Table:
    """Rows stand in blocks by kind. `label` is for references in a text, `[a-z0-9-]`; `stub` heads the row names.

    `notes` are footnotes of the whole table; `command` and `fingerprints` say how it can be made again.
    """

    title: str
    label: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    stub: str = ""
    caption: str = ""
    notes: Sequence[str] = ()
    command: str = ""
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    intervals: bool = True

    def blocks(self) -> list[list[Row]]:
        """Rows by kind, systems first, none empty."""
        found = [[row for row in self.rows if row.kind == kind] for kind in KINDS]
        return [block for block in found if block]
