"""What one call of `calm-eval latency` asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from calm_eval.errors import InputError
from calm_eval.latency.rows import RowWish
from calm_eval.latency.tier import Tier
from calm_eval.specs.latency import find_latency_suite, load_latency_suite
from calm_eval.specs.system import beside
from calm_eval.systems.engine import Conditions


@dataclass(frozen=True)
class RowOrder:
    """A row, whether it shares its backbone with the one beside it, and its published row, if it has one."""

    wish: RowWish
    same_backbone: bool = False
    published: tuple[str, str] | None = None


@dataclass(frozen=True)
class LatencyOrder:
    """All that is asked for. `against` is the place in `rows` of the row that the others stand beside, from 0."""

    title: str
    rows: Sequence[RowOrder]
    against: int | None
    tier: Tier
    conditions: Conditions = field(default_factory=Conditions)
    task: str | None = None
    prompt: Path | None = None
    batches: tuple[int, ...] = ()
    scale: float = 1.0
    published: str = ""
    notes: tuple[str, ...] = ()
    quality: Path | None = None
    command: str = ""


@dataclass(frozen=True)
class Rows:
    """The rows of a call, and what a suite adds to them."""

    title: str
    rows: Sequence[RowOrder]
    against: int | None
    task: str | None = None
    published: str = ""
    notes: tuple[str, ...] = ()


def rows_of_call(systems: Sequence[str], against: str | None, same_backbone: bool) -> Rows:
    """From the words of a call: one latency suite, or rows as `RowWish.parse` reads them. Raises InputError."""
    for name in systems:
        path = find_latency_suite(name)
        if path is not None:
            if len(systems) > 1 or against is not None or same_backbone:
                raise InputError(f"'{name}' is a latency suite: name it alone, it says what stands beside what")
            return _of_suite(path)
    wishes = [RowWish.parse(text) for text in systems]
    place = None
    if against is not None:
        other = RowWish.parse(against)
        if other not in wishes:
            wishes.append(other)
        place = wishes.index(other)
    if same_backbone and place is None:
        raise InputError("--same-backbone: as which one? name it with --against")
    rows = [RowOrder(wish, same_backbone and number != place) for number, wish in enumerate(wishes)]
    return Rows("Latency", rows, place)


def _of_suite(path: Path) -> Rows:
    suite = load_latency_suite(path)
    rows = [
        RowOrder(
            RowWish(beside(path, row.system), row.sampling),
            row.same_backbone,
            None if row.published is None else (row.published[0], row.published[1]),
        )
        for row in suite.rows
    ]
    title = f"{suite.title} ({suite.name} version {suite.version})"
    return Rows(title, rows, suite.against - 1, suite.task, suite.published, tuple(suite.notes))
