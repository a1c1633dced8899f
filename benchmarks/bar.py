"""One bar: what is asked, what was measured, and whether it holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """A row of the output of `bars.py`."""

    name: str
    limit: str
    measured: str
    passed: bool
