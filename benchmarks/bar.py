"""One bar: what is asked, what was measured, and whether it holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """A row of the output of `bars.py`; with `passed` None it is shown for the reader and decides nothing."""

    name: str
    limit: str
    measured: str
    passed: bool | None
