"""What goes into a page: how much of a run is heard in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from calm_eval.errors import InputError
from calm_eval.reports.page.sounds import Encoding
from calm_eval.runs.plan_store import StoredPlan, StoredSample
from calm_eval.runs.row_order import ordered_rows


@dataclass(frozen=True)
class PageWish:
    """The first `items` of each suite, rows by name or pattern, the first `seeds`; None and empty mean all."""

    suite: str | None = None
    items: int | None = None
    rows: tuple[str, ...] = ()
    seeds: int | None = None
    encoding: Encoding = "mp3"


def heard_rows(plan: StoredPlan, wish: PageWish) -> list[str]:
    """Names of the rows in the page, in the order of tables. Raises InputError where a pattern fits none."""
    names = ordered_rows(plan.variants)
    for pattern in wish.rows:
        if not any(fnmatchcase(name, pattern) or name == pattern for name in names):
            raise InputError(f"--rows {pattern}: no such row in {plan.suite.name}; rows: {', '.join(names)}")
    return [name for name in names if not wish.rows or any(fnmatchcase(name, one) or name == one for one in wish.rows)]


def heard_samples(plan: StoredPlan, rows: Sequence[str], wish: PageWish) -> list[StoredSample]:
    """The planned samples of these rows that the page holds."""
    items = set(list(plan.items)[: wish.items])
    return [
        one
        for one in plan.samples
        if one.variant in set(rows) and one.item in items and (wish.seeds is None or one.seed < wish.seeds)
    ]
