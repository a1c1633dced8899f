"""The rows and columns that a layout takes of a suite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calm_eval.errors import InputError
from calm_eval.metrics.bound import BoundMetric
from calm_eval.reports.source import Source
from calm_eval.runs.row_order import rows_like, rows_like_any
from calm_eval.runs.rows import Variant
from calm_eval.specs.layout import ColumnUse, LayoutSpec


@dataclass(frozen=True)
class NamedRow:
    """A variant under the name that the table gives it."""

    variant: Variant
    name: str


@dataclass(frozen=True)
class NamedColumn:
    """A metric, or `heads` or `n` where there is none, and how the layout wants it."""

    use: ColumnUse
    metric: BoundMetric | None


EXTRA = ("heads", "n")
"""Columns that are no metrics: head evaluations per second of audio, and items by seeds."""


def rows_of_layout(source: Source, layout: LayoutSpec) -> list[NamedRow]:
    """The rows in the order of the layout's patterns, each once.

    Raises InputError where a pattern fits none, and where controls alone are left of a layout without them.
    """
    suite, variants = source.plan.suite.name, source.plan.variants
    allowed = [row for row in rows_like_any(variants, (), suite) if layout.controls or not row.control]
    if not allowed:
        raise InputError(f"layout: {suite} has no rows but controls")
    if not layout.rows:
        return [NamedRow(row, row.name) for row in allowed]
    found: dict[str, NamedRow] = {}
    for use in layout.row_uses:
        fitting = rows_like(variants, use.row, suite)
        for row in fitting:
            found.setdefault(row.name, NamedRow(row, use.name if use.name and len(fitting) == 1 else row.name))
    return list(found.values())


def columns_of_layout(source: Source, layout: LayoutSpec, default: Sequence[str]) -> list[NamedColumn]:
    """The columns; a name stands for every metric that has it, with each judge. Raises InputError for an unknown one.

    Without `columns` those of `default` that the suite has, then `heads` and `n`.
    """
    by_name: dict[str, list[BoundMetric]] = {}
    for bound in source.metrics:
        by_name.setdefault(bound.spec.name, []).append(bound)
    uses = layout.column_uses or [ColumnUse(column=name) for name in (*default, *EXTRA) if name in {*by_name, *EXTRA}]
    found = []
    for use in uses:
        if use.column in EXTRA:
            found.append(NamedColumn(use, None))
        elif use.column in by_name:
            found += [NamedColumn(use, bound) for bound in by_name[use.column]]
        else:
            known = ", ".join([*by_name, *EXTRA])
            raise InputError(f"layout: no column '{use.column}' in {source.plan.suite.name}; columns: {known}")
    return found
