"""In which order the rows of a suite stand, and which of a system's rows is its default."""

from __future__ import annotations

import math
from collections.abc import Sequence

from calm_eval.runs.rows import Variant


def ordered_rows(variants: Sequence[Variant]) -> list[str]:
    """Names of the variants: systems first, then controls, each in the order of the plan.

    Of a system its default comes first, then what moves one parameter, then more; values in their order.
    """
    systems = list(dict.fromkeys(row.system for row in variants))
    defaults = {name: default_row([row for row in variants if row.system == name]) for name in systems}
    ranked = sorted(
        variants,
        key=lambda row: (row.control, systems.index(row.system), *_moved(row, defaults[row.system])),
    )
    return [row.name for row in ranked]


def default_row(rows: Sequence[Variant]) -> Variant:
    """Of one system's rows that at its defaults, which has the system's bare name; else the first."""
    return next((row for row in rows if row.name == row.system), rows[0])


def moved(row: Variant, default: Variant) -> list[str]:
    """The sampling parameters in which a row differs from another of its system, in the system's order."""
    return [name for name, value in row.sampling.items() if default.sampling.get(name) != value]


def _moved(row: Variant, default: Variant) -> tuple[int, list[int], list[tuple[float, str]]]:
    """Sorts by how many parameters are moved, then which, then to what: numbers by size, words after them."""
    names = moved(row, default)
    values = [row.sampling[name] for name in names]
    return (
        len(names),
        [list(row.sampling).index(name) for name in names],
        [(math.inf, value) if isinstance(value, str) else (float(value), "") for value in values],
    )
