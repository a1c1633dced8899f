"""What a figure is asked to show, and what a drawn one says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from calm_eval.errors import InputError
from calm_eval.metrics.bound import BoundMetric
from calm_eval.reports.source import Source
from calm_eval.reports.tables.captions import fingerprints_of
from calm_eval.runs.row_order import ordered_rows


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


def wished_rows(source: Source, wish: FigureWish) -> list[str]:
    """Names of the rows asked for by name or pattern, in that order. Raises InputError where a pattern fits none."""
    names = ordered_rows(source.plan.variants)
    found: dict[str, None] = {}
    for pattern in wish.rows or ("*",):
        fitting = [name for name in names if name == pattern or fnmatchcase(name, pattern)]
        if not fitting:
            raise InputError(f"no row '{pattern}' in {source.plan.suite.name}; rows: {', '.join(names)}")
        found |= dict.fromkeys(fitting)
    return list(found)


def axis_title(bound: BoundMetric) -> str:
    """`WER (%), lower is better`."""
    spec = bound.spec
    return f"{bound.title} ({spec.unit}), {'higher' if spec.higher_is_better else 'lower'} is better"


def how(source: Source, drawn: Drawn) -> str:
    """The caption, the fingerprints and the command that made the run, as plain text."""
    prints = ", ".join(f"{name} {value}" for name, value in fingerprints_of(source, drawn.metrics).items())
    lines = [drawn.caption, f"Fingerprints: {prints}."]
    return "\n".join([*lines, *([f"Made by: {source.command}"] if source.command else [])])
