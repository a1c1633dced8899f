"""In which order the rows of a suite stand, which of a system's rows is its default, and which fit a pattern."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from calm_eval.errors import InputError
from calm_eval.runs.rows import Variant
from calm_eval.systems.protocol import Value


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


def rows_like(variants: Sequence[Variant], pattern: str, suite: str) -> list[Variant]:
    """The rows with this name or pattern (`mini-calm*`), in their order. Raises InputError where there is none."""
    by_name = {row.name: row for row in variants}
    names = ordered_rows(variants)
    found = [by_name[name] for name in names if name == pattern or fnmatchcase(name, pattern)]
    if not found:
        raise InputError(f"no row '{pattern}' in {suite}; rows: {', '.join(names)}")
    return found


def rows_like_any(variants: Sequence[Variant], patterns: Sequence[str], suite: str) -> list[Variant]:
    """The rows of each pattern in turn, each row once; all rows without patterns. Raises InputError as `rows_like`."""
    found = [row for pattern in patterns or ("*",) for row in rows_like(variants, pattern, suite)]
    return list({row.name: row for row in found}.values())


def rank(value: Value | None) -> tuple[bool, float, str]:
    """Sorts numbers by size, words after them."""
    size = float(value) if isinstance(value, int | float) else 0.0
    return isinstance(value, str) or value is None, size, str(value)


def default_row(rows: Sequence[Variant]) -> Variant:
    """Of one system's rows that at its defaults, which has the system's bare name; else the first."""
    return next((row for row in rows if row.name == row.system), rows[0])


def moved(row: Variant, default: Variant) -> list[str]:
    """The sampling parameters in which a row differs from another of its system, in the system's order."""
    return [name for name, value in row.sampling.items() if default.sampling.get(name) != value]


def _moved(row: Variant, default: Variant) -> tuple[int, list[int], list[tuple[bool, float, str]]]:
    """Sorts by how many parameters are moved, then which, then to what."""
    names = moved(row, default)
    places = list(row.sampling)
    return len(names), [places.index(name) for name in names], [rank(row.sampling[name]) for name in names]
