"""An estimate: a value, its interval, what it rests on, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Estimate:
    """One cell of a table.

    `value` is None when nothing could be scored. `low` and `high` bound the 95 % interval, None when there is none.
    `failures` counts, by name, samples that are missing from the score; `flags` counts what was noticed in samples
    that were scored. `invalid` names why the value, though it can be computed, means nothing, and there is none then.
    `warnings` name what a reader of the value must know; `notes` are figures that belong to it.
    """

    value: float | None
    low: float | None
    high: float | None
    n_scored: int
    n_expected: int
    n_items: int
    seeds: int
    method: str
    failures: Mapping[str, int] = field(default_factory=dict)
    flags: Mapping[str, int] = field(default_factory=dict)
    invalid: str | None = None
    warnings: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
