"""The work that is left of some suites, in pieces of one speed each: what `Forecast` counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set

from calm_eval.data.item import Item
from calm_eval.keys import canonical_json
from calm_eval.runs.database import Database
from calm_eval.runs.passes import judging
from calm_eval.runs.plan_store import StoredPlan, StoredSample
from calm_eval.runs.waiting import Waiting
from calm_eval.runs.work import Name, Piece

REPORT: Name = ("report",)


def pieces_of(
    plans: Sequence[StoredPlan], waiting: Waiting, database: Database | None, stages: Sequence[str]
) -> list[Piece]:
    """All work of these stages. Without a database nothing is there yet."""
    pieces: list[Piece] = []
    if "generate" in stages:
        pieces += [piece for plan in plans for piece in _generation(plan, waiting.of(plan.suite.name))]
    if "score" in stages:
        pieces += judging(plans, waiting, database)
        keys = waiting.keys
        pieces += [piece for plan in plans for piece in _measuring(plan, keys, database)]
    if "report" in stages:
        cells = sum(len(plan.variants) * len(plan.metrics) for plan in plans)
        pieces.append(Piece(REPORT, (f"report/{cells}", "report"), cells, cells))
    return pieces


def sample_units(items: Collection[Item]) -> Mapping[str, float]:
    """By item: the seconds of audio that a sample of it is asked for, or 1 where not every item of the suite says."""
    seconds = {item.id: item.duration for item in items if item.duration is not None}
    return seconds if len(seconds) == len(items) else {item.id: 1.0 for item in items}


def _generation(plan: StoredPlan, samples: Sequence[StoredSample]) -> list[Piece]:
    """Each row, and one start of each system that has something to make."""
    suite, task = plan.suite.name, plan.suite.task
    units = sample_units(plan.items.values())
    unit = "second" if all(item.duration is not None for item in plan.items.values()) else "sample"
    pieces: dict[Name, Piece] = {}
    for row in plan.variants:
        mine = [one for one in samples if one.variant == row.name]
        if not mine:
            continue
        start: Name = ("start", suite, row.system)
        pieces[start] = Piece(start, (f"start/{row.system}",), 1, 1.0, (f"kin/start/{row.family}",))
        setting = canonical_json(dict(row.sampling))
        likes = (f"{row.fingerprint[:16]}/{setting}", f"{row.system}/{setting}", row.system)
        keys = tuple(f"row/{task}/{unit}/{one}" for one in likes)
        name: Name = ("row", suite, row.name)
        in_all = sum(units[one.item] for one in mine)
        kin = (f"kin/row/{task}/{unit}/{row.family}", f"kin/row/{unit}/{row.family}")
        pieces[name] = Piece(name, keys, len(mine), in_all, kin)
    return list(pieces.values())


def _measuring(plan: StoredPlan, waiting: Set[str], database: Database | None) -> list[Piece]:
    """Each metric: samples without a value, or rows for a metric of sets."""
    suite = plan.suite.name
    pieces = []
    for bound in (one for one in plan.metrics if one.unavailable is None):
        rows = {row.name for row in plan.variants if row.measured_by(bound.spec) and row.unavailable is None}
        mine = [one for one in plan.samples if one.variant in rows]
        if bound.spec.kind == "set":
            query = "SELECT variant FROM set_values WHERE suite = ? AND metric = ?"
            known = _column(database, query, [suite, bound.fingerprint])
            count = len({one.variant for one in mine if one.key in waiting or one.variant not in known})
        else:
            known = _column(database, "SELECT sample FROM item_values WHERE metric = ?", [bound.fingerprint])
            count = sum(one.key in waiting or one.key not in known for one in mine)
        like = f"values/{bound.fingerprint[:16]}"
        keys = (f"{like}/{suite}/{len(plan.items)}x{plan.seeds}", like, f"values/{bound.spec.name}")
        pieces.append(Piece(("values", suite, bound.fingerprint), keys, count, float(count)))
    return pieces


def _column(database: Database | None, query: str, values: Sequence[str]) -> set[str]:
    return {row[0] for row in database.connection.execute(query, values)} if database is not None else set()
