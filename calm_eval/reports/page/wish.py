"""What goes into a page: how much of a run is heard in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calm_eval.reports.page.sounds import Encoding
from calm_eval.runs.plan_store import StoredPlan, StoredSample
from calm_eval.runs.rows import Variant


@dataclass(frozen=True)
class PageWish:
    """The first `items` of each suite, rows by name or pattern, the first `seeds`; None and empty mean all."""

    suite: str | None = None
    items: int | None = None
    rows: tuple[str, ...] = ()
    seeds: int | None = None
    encoding: Encoding = "mp3"


def heard_samples(plan: StoredPlan, rows: Sequence[Variant], wish: PageWish) -> list[StoredSample]:
    """The planned samples of these rows that the page holds."""
    items, names = set(list(plan.items)[: wish.items]), {row.name for row in rows}
    return [
        one
        for one in plan.samples
        if one.variant in names and one.item in items and (wish.seeds is None or one.seed < wish.seeds)
    ]
