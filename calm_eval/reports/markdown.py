"""Markdown: text that cannot break out of its place, and plain tables."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence

_SPECIAL = "\\`*{}[]#!|~$"
_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore that is not inside a word could begin or end emphasis."""
_STARTS = re.compile(r"^([-+=]|\d{1,9}(?=\.(?:\s|$)))")
"""What would begin a list or underline a heading at the start of a line."""
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of everything after them, the next cell included."""


def escape(text: str) -> str:
    """Text from items, systems and files, made literal: no markup, no HTML, no line break survives as such.

    Control characters and direction overrides become U+FFFD; letters of any script stay as they are.
    """
    flat = "".join("\ufffd" if _hidden(letter) else letter for letter in " ".join(text.split()))
    flat = html.escape(flat, quote=False)
    start = _STARTS.match(flat)
    flat = "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in flat)
    flat = _UNDERSCORE.sub(r"\\_", flat)
    if start is None:
        return flat
    place = start.end() if start.group().isdigit() else 0
    return f"{flat[:place]}\\{flat[place:]}"


def _hidden(letter: str) -> bool:
    return letter in _TURNS or unicodedata.category(letter) in ("Cc", "Cs")


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool = True) -> str:
    """A pipe table; first column left, the others right where they hold numbers. Cells are taken as they are."""
    marks = [":--", *["--:" if numbers else ":--"] * (len(header) - 1)]
    lines = [header, marks, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
