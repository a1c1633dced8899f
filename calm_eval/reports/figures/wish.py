"""What a figure is asked to show, and what a drawn one says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calm_eval.metrics.bound import BoundMetric
from calm_eval.reports.source import Source
from calm_eval.reports.tables.captions import fingerprints_of
from calm_eval.runs.row_order import rows_like_any
from calm_eval.runs.rows import Variant


@dataclass(frozen=True)
class FigureWish:
    """What is None or empty is chosen: the suite's `pick` or first metric, all rows."""

    metric: str | None = None
    second: str | None = None
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """The caption of a figure that was drawn, and the metrics in it."""

    caption: str
    metrics: Sequence[BoundMetric]


def wished_metric(source: Source, wish: FigureWish) -> BoundMetric:
    """The metric asked for, else the suite's `pick`, else its first. Raises InputError for an unknown one."""
    suite = source.plan.suite
    return source.metric(wish.metric or suite.pick or source.metrics[0].spec.name)


def wished_rows(source: Source, wish: FigureWish) -> list[Variant]:
    """The rows asked for by name or pattern, in that order. Raises InputError where a pattern fits none."""
    return rows_like_any(source.plan.variants, wish.rows, source.plan.suite.name)


def how(source: Source, drawn: Drawn) -> str:
    """The caption, the fingerprints and the command that made the run, as plain text."""
    prints = ", ".join(f"{name} {value}" for name, value in fingerprints_of(source, drawn.metrics).items())
    lines = [drawn.caption, f"Fingerprints: {prints}."]
    return "\n".join([*lines, *([f"Made by: {source.command}"] if source.command else [])])
