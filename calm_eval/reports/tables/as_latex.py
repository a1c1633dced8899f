r"""A table as LaTeX: booktabs, numbers as siunitx reads them, every name made literal.

A document needs `\usepackage{booktabs,siunitx,graphicx}`, and `\sisetup{reset-text-series=false}` for bold numbers.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from calm_eval.reports.rounding import rounded
from calm_eval.reports.tables.model import Column, Entry, Row, Table

PREAMBLE = (r"\usepackage{booktabs,siunitx,graphicx}", r"\sisetup{reset-text-series=false}")

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\char34{}", "'": "'", "–": "--", "—": "---", "×": r"$\times$", "±": r"$\pm$",
    "†": r"\textdagger{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "²": r"\textsuperscript{2}", "−": "$-$",
    "Δ": r"$\Delta$", "∞": r"$\infty$", "≤": r"$\leq$", "≥": r"$\geq$", "µ": r"$\mu$", "…": r"\dots{}",
}  # fmt: skip
_BEYOND_LATIN = 0x180
"""From here on pdfLaTeX stops at a letter."""
_ARROWS = {True: r" $\uparrow$", False: r" $\downarrow$", None: ""}
_MARKS = {"best": r"\textbf{%s}", "tied": r"\textbf{%s}", "second": r"\underline{%s}", "": "%s"}


def escape(text: str) -> str:
    """Text as it is, whatever it holds: no command, no mathematics and no alignment survives as such.

    Line breaks become spaces; control characters and marks that turn the direction of text go. Letters beyond Latin are
    set by LuaLaTeX and XeLaTeX where the font has them; pdfLaTeX, which knows none of them, prints their number.
    """
    flat = " ".join(text.split())
    kept = [letter for letter in flat if unicodedata.category(letter) not in ("Cc", "Cf", "Cs")]
    # An empty group keeps ligatures such as ?` and -- from forming.
    return "".join(map(_literal, kept)).replace("``", "`{}`").replace("''", "'{}'")


def _literal(letter: str) -> str:
    if letter in _SPECIAL:
        return _SPECIAL[letter]
    if ord(letter) < _BEYOND_LATIN:
        return letter
    return rf"\ifdefined\Umathchar {letter}\else[U+{ord(letter):04X}]\fi{{}}"


def latex(table: Table) -> str:
    """A `table` environment with caption and label.

    It is shrunk to the width of the text where it is wider. Best values are bold, those not distinguishable from them
    too; the best of the others is underlined. Intervals stand behind their value in small print.
    """
    notes = _Notes()
    rules: list[str] = []
    for place, block in enumerate(table.blocks()):
        rules += [r"\midrule"] if place else []
        rules += [_line(row, table, notes) for row in block]
    heads = [escape(table.stub), *map(_heading, table.columns)]
    lines = [
        *(f"% {line}" for line in PREAMBLE),
        r"\begin{table}[t]",
        r"\centering",
        rf"\caption{{{escape(table.caption or table.title)}}}",
        rf"\label{{tab:{table.label}}}",
        r"\smallskip",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        " & ".join(heads) + r" \\",
        r"\midrule",
        *rules,
        r"\bottomrule",
        r"\end{tabular}}",
        *_below(table, notes),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


class _Notes:
    """Footnotes by letter, as they are met."""

    def __init__(self) -> None:
        self._met: list[str] = []

    def mark(self, notes: Sequence[str]) -> str:
        for note in notes:
            if note not in self._met:
                self._met.append(note)
        signs = ",".join(_sign(self._met.index(note)) for note in notes)
        return rf"\textsuperscript{{{signs}}}" if signs else ""

    def lines(self) -> list[str]:
        return [rf"\textsuperscript{{{_sign(place)}}}\,{escape(note)}" for place, note in enumerate(self._met)]


def _sign(place: int) -> str:
    """a, b, ... z, aa, ab, ..."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters


def _below(table: Table, notes: _Notes) -> list[str]:
    """Footnotes, fingerprints and the command, in small print below the table."""
    lines = [*notes.lines(), *map(escape, table.notes)]
    if table.fingerprints:
        prints = ", ".join(rf"{escape(name)} \texttt{{{value}}}" for name, value in table.fingerprints.items())
        lines.append(f"Fingerprints: {prints}.")
    if table.command:
        lines.append(rf"Made by \texttt{{{escape(table.command)}}}.")
    if not lines:
        return []
    return [
        r"\par\smallskip",
        r"\begin{minipage}{\linewidth}\footnotesize\raggedright",
        *(f"{line}\\par" for line in lines),
        r"\end{minipage}",
    ]


def _heading(column: Column) -> str:
    unit = f" ({escape(column.unit)})" if column.unit else ""
    return f"{escape(column.title)}{unit}{_ARROWS[column.higher_is_better]}"


def _line(row: Row, table: Table, notes: _Notes) -> str:
    name = escape(row.name)
    # After the line before, a star or bracket would be an argument of its line break.
    shown = rf"\textit{{{name}}}" if row.kind != "system" else f"{{}}{name}" if name[:1] in ("[", "*") else name
    first = shown + notes.mark(row.notes)
    entries = [_entry(row.entry(one), one, notes, intervals=table.intervals) for one in table.columns]
    return " & ".join([first, *entries]) + r" \\"


def _entry(entry: Entry, column: Column, notes: _Notes, *, intervals: bool) -> str:
    mark = notes.mark(entry.notes)
    if entry.value is None:
        return escape(entry.words) + mark
    value, low, high = rounded(entry.value, entry.low, entry.high, places=column.places)
    text = _MARKS[entry.mark] % rf"\num{{{value}}}" + escape(entry.sign)
    if intervals and low is not None and high is not None:
        text += rf" {{\scriptsize [\num{{{low}}}, \num{{{high}}}]}}"
    if entry.counted is not None:
        text += rf" {{\scriptsize ({entry.counted[0]}/{entry.counted[1]})}}"
    if entry.warnings:
        text += rf" {{\scriptsize ({escape('; '.join(entry.warnings))})}}"
    return text + mark
