"""Published numbers as Markdown: a block of their own below a suite's table, each value with where it was read."""

from __future__ import annotations

import string
from collections.abc import Sequence

from calm_eval.reports.markdown import escape, table
from calm_eval.reports.published import PublishedRow

TITLE = "### Published, not measured here; never ranked with the rows above"


def published_block(rows: Sequence[PublishedRow]) -> str | None:
    """The published rows of a suite, one Markdown table for each table of a paper; None when there are no rows.

    Tables of two papers are never merged: their protocols differ even where the data is the same. Rows and columns
    stand in the order of `rows`.
    """
    if not rows:
        return None
    by_table: dict[str, list[PublishedRow]] = {}
    for row in rows:
        by_table.setdefault(row.table, []).append(row)
    return "\n\n".join([TITLE, *(_one_table(name, group) for name, group in by_table.items())])


def printed(row: PublishedRow) -> str:
    """The number with the digits of the paper: `3.45 ± 0.14`, `3.45 [3.30, 3.61]` or `3.45`."""
    value = f"{row.value:.{row.places}f}"
    if row.low is None or row.high is None:
        return value
    if round(row.high - row.value, 9) == round(row.value - row.low, 9):
        return f"{value} ± {row.high - row.value:.{row.places}f}"
    return f"{value} [{row.low:.{row.places}f}, {row.high:.{row.places}f}]"


def _one_table(name: str, rows: Sequence[PublishedRow]) -> str:
    columns = {row.metric: _title(row) for row in reversed(rows)}
    metrics = list(dict.fromkeys(row.metric for row in rows))
    daggers = _daggers(rows)
    cells = {
        (row.system, row.variant, row.metric): f"{printed(row)} {daggers[row.source]}"
        if row.evidence == "secondary"
        else printed(row)
        for row in rows
    }
    body = [
        [escape(_label(*place)), *(cells.get((*place, metric), "–") for metric in metrics)]
        for place in dict.fromkeys((row.system, row.variant) for row in rows)
    ]
    shown = table(["", *(columns[metric] for metric in metrics)], body)
    return "\n\n".join([f"**{escape(name)}.** {_protocols(rows)}.", shown, _footnotes(rows, daggers)])


def _label(system: str, variant: str) -> str:
    return f"{system} ({variant})" if variant else system


def _title(row: PublishedRow) -> str:
    return f"{escape(row.metric)} ({escape(row.unit)}) {'↑' if row.higher_is_better else '↓'}"


def _daggers(rows: Sequence[PublishedRow]) -> dict[str, str]:
    """A mark for each source of secondary values: `†` for a single one, else `†a`, `†b` and so on."""
    sources = list(dict.fromkeys(row.source for row in rows if row.evidence == "secondary"))
    if len(sources) == 1:
        return {sources[0]: "†"}
    letters = string.ascii_lowercase
    return {source: f"†{letters[place] if place < len(letters) else place}" for place, source in enumerate(sources)}


def _protocols(rows: Sequence[PublishedRow]) -> str:
    """Each protocol once, led by its metrics; without them when the whole table has one."""
    by_protocol: dict[str, list[str]] = {}
    for row in rows:
        metrics = by_protocol.setdefault(row.protocol, [])
        if row.metric not in metrics:
            metrics.append(row.metric)
    if len(by_protocol) == 1:
        return escape(next(iter(by_protocol)))
    return ". ".join(f"{', '.join(map(escape, metrics))}: {escape(text)}" for text, metrics in by_protocol.items())


def _footnotes(rows: Sequence[PublishedRow], daggers: dict[str, str]) -> str:
    primary = list(dict.fromkeys(row.source for row in rows if row.evidence == "primary"))
    lines = [f"Without a dagger: {escape('; '.join(primary))}."] if primary else []
    lines += [
        f"{mark} Secondary, not read in the authors' own text: {escape(source)}." for source, mark in daggers.items()
    ]
    for note in dict.fromkeys(row.note for row in rows if row.note):
        where = _where([row for row in rows if row.note == note], rows)
        lines.append(f"{escape(where)}: {escape(note)}" if where else escape(note))
    return "\n".join(f"- {line}" for line in lines)


def _where(noted: Sequence[PublishedRow], rows: Sequence[PublishedRow]) -> str:
    """The cells that a note is on: nothing for all, a metric for a whole column, a row's name for a whole row."""
    if len(noted) == len(rows):
        return ""
    metrics = {row.metric for row in noted}
    if len(metrics) == 1 and len(noted) == sum(row.metric in metrics for row in rows):
        return noted[0].metric
    parts = []
    for place in dict.fromkeys((row.system, row.variant) for row in noted):
        mine = [row.metric for row in noted if (row.system, row.variant) == place]
        whole = len(mine) == sum((row.system, row.variant) == place for row in rows)
        parts.append(_label(*place) if whole else f"{_label(*place)}, {' and '.join(mine)}")
    return "; ".join(parts)
