"""Markdown: text that cannot break out of its place, and plain tables."""

from __future__ import annotations

import html
from collections.abc import Sequence

_SPECIAL = "\\`*_{}[]()#!|~"


def escape(text: str) -> str:
    """Text from items, systems and files, made literal: no markup, no HTML, no line break survives as such."""
    flat = html.escape(" ".join(text.split()), quote=False)
    return "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in flat)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A pipe table; first column left, the others right. Cells are taken as they are."""
    marks = [":--", *["--:"] * (len(header) - 1)]
    lines = [header, marks, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
