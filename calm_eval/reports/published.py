"""Numbers that papers print, read from CSV files that give the source of each. They are never ranked with our own."""

from __future__ import annotations

import csv
import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

from calm_eval.errors import InputError
from calm_eval.specs.locate import bundled_folder
from calm_eval.specs.suite import Task

if TYPE_CHECKING:
    import pandas as pd

Evidence = Literal["primary", "secondary"]
COLUMNS = (
    "table", "task", "suite", "system", "variant", "metric", "our_metric", "value", "low", "high", "unit",
    "higher_is_better", "protocol", "source", "evidence", "note",
)  # fmt: skip
_NEEDED = ("table", "task", "system", "metric", "unit", "protocol", "source")
_TASKS = (*get_args(Task), "codec")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True)
class PublishedRow:
    """One printed number.

    `value`, `low` and `high` are in `unit`, as printed and not converted; `low` and `high` are None where no interval
    is printed, and papers seldom say what kind it is. `suite` is the paper suite with this protocol and `our_metric`
    the nearest metric here; either may be empty. `evidence` is `primary` where the number was read in the authors' own
    text (paper, report, page, repository), `secondary` where someone else quotes it. `places` is the number of digits
    printed after the point, the most of the three.
    """

    table: str
    task: str
    suite: str
    system: str
    variant: str
    metric: str
    our_metric: str
    value: float
    low: float | None
    high: float | None
    unit: str
    higher_is_better: bool
    protocol: str
    source: str
    evidence: Evidence
    note: str
    places: int

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What may stand only once: table, system, variant, metric."""
        return self.table, self.system, self.variant, self.metric


def bundled_published() -> Path:
    """The folder of the bundled rows: inside the installed package, or `reports/published` of a source checkout."""
    return bundled_folder("bundled_published", "reports/published")


def load_published(folder: Path | None = None) -> list[PublishedRow]:
    """Every row of every CSV file of a folder (default: the bundled one), files by name, rows in their order.

    Raises InputError with file and line for an unknown, missing or double column, a value that is no number, an
    interval without the value in it, a word outside its set, an empty cell that must be filled, a (table, system,
    variant, metric) that stands twice, and a metric with two units or directions in one table.
    """
    folder = bundled_published() if folder is None else folder
    files = sorted(folder.glob("*.csv"))
    if not files:
        raise InputError(f"{folder}: no published rows (*.csv) in this folder")
    rows: list[PublishedRow] = []
    seen: dict[tuple[str, ...], str] = {}
    scales: dict[tuple[str, str], tuple[str, bool]] = {}
    for where, cells in (located for path in files for located in _records(path)):
        row = _row(where, cells)
        if row.key in seen:
            raise InputError(f"{where}: '{' / '.join(row.key)}' stands twice (first in {seen[row.key]})")
        seen[row.key] = where
        scale = scales.setdefault((row.table, row.metric), (row.unit, row.higher_is_better))
        if scale != (row.unit, row.higher_is_better):
            raise InputError(f"{where}: '{row.metric}' has another unit or direction elsewhere in '{row.table}'")
        rows.append(row)
    return rows


def published_for(suite: str) -> list[PublishedRow]:
    """The bundled rows whose protocol is that of a suite, e.g. `paper/musiccaps`; empty when there are none."""
    return [row for row in load_published() if row.suite == suite]


def published_frame(rows: Sequence[PublishedRow] | None = None) -> pd.DataFrame:
    """Rows (default: all bundled ones) as a table with the columns of the files; NaN where no interval is printed."""
    import pandas as pd

    rows = load_published() if rows is None else rows
    frame = pd.DataFrame([dataclasses.asdict(row) for row in rows], columns=list(COLUMNS))
    return frame.astype({"value": "float64", "low": "float64", "high": "float64", "higher_is_better": "bool"})


def _records(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """`file:line` and the cells of each record; a record that spans lines is named by its first."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = _header(f"{path}:1", next(reader, []))
            first = reader.line_num + 1
            for cells in reader:
                where, first = f"{path}:{first}", reader.line_num + 1
                if not cells:
                    continue
                if len(cells) != len(header):
                    raise InputError(f"{where}: {len(cells)} cells, but the header has {len(header)} columns")
                yield where, {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text: {error}") from error
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: not CSV: {error}") from error


def _header(where: str, names: list[str]) -> list[str]:
    names = [name.strip() for name in names]
    for wrong, what in (
        ([name for name in names if name not in COLUMNS], "unknown"),
        ([name for name in COLUMNS if name not in names], "missing"),
        ([name for name in COLUMNS if names.count(name) > 1], "double"),
    ):
        if wrong:
            raise InputError(f"{where}: {what} column '{wrong[0]}'. Columns: {', '.join(COLUMNS)}")
    return names


def _row(where: str, cells: dict[str, str]) -> PublishedRow:
    for name in _NEEDED:
        if not cells[name]:
            raise InputError(f"{where}: '{name}' is empty")
    for name, allowed in (
        ("task", _TASKS),
        ("evidence", get_args(Evidence)),
        ("higher_is_better", ("true", "false")),
    ):
        if cells[name] not in allowed:
            raise InputError(f"{where}: {name} '{cells[name]}' is none of {', '.join(allowed)}")
    value = _number(where, "value", cells["value"])
    low, high = (_number(where, name, cells[name]) if cells[name] else None for name in ("low", "high"))
    if (low is None) != (high is None):
        raise InputError(f"{where}: give both 'low' and 'high', or neither")
    if low is not None and high is not None and not low <= value <= high:
        raise InputError(f"{where}: the value {value:g} is not between low {low:g} and high {high:g}")
    texts = {name: cells[name] for name in ("table", "task", "suite", "system", "variant", "metric", "our_metric")}
    return PublishedRow(
        **texts,
        value=value,
        low=low,
        high=high,
        unit=cells["unit"],
        higher_is_better=cells["higher_is_better"] == "true",
        protocol=cells["protocol"],
        source=cells["source"],
        evidence=cast(Evidence, cells["evidence"]),
        note=cells["note"],
        places=max(len(cells[name].partition(".")[2]) for name in ("value", "low", "high")),
    )


def _number(where: str, name: str, text: str) -> float:
    """A plain decimal number, without exponent, sign of infinity or thousands mark."""
    if not _NUMBER.fullmatch(text):
        raise InputError(f"{where}: {name} '{text}' is not a number such as 4.02")
    return float(text)
