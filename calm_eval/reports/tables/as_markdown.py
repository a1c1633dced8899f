"""A table as Markdown: a pipe table, and what stands with it."""

from __future__ import annotations

from calm_eval.reports.markdown import escape, table
from calm_eval.reports.rounding import rounded
from calm_eval.reports.tables.model import Column, Entry, Row, Table

_ARROWS = {True: " ↑", False: " ↓", None: ""}


def markdown(shown: Table) -> str:
    """The pipe table alone: the best in bold, the best of the others in italics, as are rows that are no systems."""
    header = [escape(shown.stub), *map(heading, shown.columns)]
    return table(header, [_line(row, shown) for block in shown.blocks() for row in block])


def markdown_page(shown: Table) -> str:
    """Title, caption, table, footnotes, and how it was made."""
    notes = [f"{escape(row.name)}: {escape(note)}" for row in shown.rows for note in row.notes]
    for column in shown.columns:
        for row in shown.rows:
            notes += [f"{escape(row.name)}, {escape(column.title)}: {escape(note)}" for note in row.entry(column).notes]
    notes += map(escape, shown.notes)
    prints = ", ".join(f"{escape(name)} `{value}`" for name, value in shown.fingerprints.items())
    parts = [
        f"## {escape(shown.title)}",
        escape(shown.caption).replace("; underlined: ", "; in italics: "),
        markdown(shown),
        "\n".join(f"- {note}" for note in notes),
        f"Fingerprints: {prints}." if prints else "",
        "\n".join(f"    {line}" for line in shown.command.splitlines()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def heading(column: Column) -> str:
    """Title, unit and direction, escaped."""
    unit = f" ({escape(column.unit)})" if column.unit else ""
    return f"{escape(column.title)}{unit}{_ARROWS[column.higher_is_better]}"


def entry_text(entry: Entry, places: int | None = None, *, intervals: bool = True) -> str:
    """Value, interval, warnings, and the count when something is missing; or the words that stand for them."""
    if entry.value is None:
        return escape(entry.words)
    text, low, high = rounded(entry.value, entry.low, entry.high, places=places)
    if entry.mark in ("best", "tied"):
        text = f"**{text}**"
    elif entry.mark == "second":
        text = f"*{text}*"
    text += escape(entry.sign)
    if intervals and low is not None and high is not None:
        text += f" [{low}, {high}]"
    if entry.counted is not None:
        text += f" ({entry.counted[0]}/{entry.counted[1]})"
    if entry.warnings:
        text += f" ({escape('; '.join(entry.warnings))})"
    return text


def _line(row: Row, shown: Table) -> list[str]:
    name = escape(row.name)
    entries = [entry_text(row.entry(one), one.places, intervals=shown.intervals) for one in shown.columns]
    return [name if row.kind == "system" else f"*{name}*", *entries]
