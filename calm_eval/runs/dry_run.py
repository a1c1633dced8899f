"""What a run would do, in words and counts, before it does any of it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from calm_eval.errors import UnavailableError
from calm_eval.runs.database import FILE_NAME, Database
from calm_eval.runs.environment import describe_environment
from calm_eval.runs.forecast import Forecast
from calm_eval.runs.lacking import what_lacks
from calm_eval.runs.order import STAGES, Order, make_plans
from calm_eval.runs.pieces import pieces_of
from calm_eval.runs.plan import SuitePlan
from calm_eval.runs.plan_store import StoredPlan, load_plans
from calm_eval.runs.samples import SampleStore
from calm_eval.runs.speeds import SpeedBook, machine_of
from calm_eval.runs.waiting import as_stored, to_make
from calm_eval.runs.watch import Progress, Stopwatch
from calm_eval.specs.locate import expand_suites
from calm_eval.specs.suite import load_suite


def dry_run(order: Order, folder: Path) -> str:
    """What `evaluate` would do, in words and counts; writes nothing but the corpora it must know.

    Raises InputError, and UnavailableError where public data of a suite is missing.
    """
    _refuse_lacking(order)
    watch = Stopwatch()
    with tempfile.TemporaryDirectory(prefix="calm-eval-plan-") as scratch, _there(folder) as database:
        progress = Progress(Path(scratch) / "plan.log")
        plans = make_plans(order, Path(scratch) / "scratch", watch, progress)
        asked = [as_stored(plan) for plan in plans]
        names = {plan.suite.name for plan in asked}
        # The score stage completes every suite that the run holds.
        others = [plan for plan in _planned(database) if plan.suite.name not in names]
        samples = SampleStore(database) if database is not None else None
        reuse = [Path(one) for one in order.reuse]
        waiting = to_make(asked, samples, reuse, retry_failed=order.retry_failed)
        book = SpeedBook(machine_of(describe_environment(order.conditions)), progress.say)
        forecast = Forecast(book, lambda: watch.wall, progress.say)
        forecast.plan(pieces_of([*others, *asked], waiting, database, STAGES))
    lines = [line for plan in plans for line in _told(plan, len(waiting.of(plan.suite.name)))]
    return "\n".join([*lines, *forecast.plan_lines(), f"run folder: {folder}"])


def _told(plan: SuitePlan, to_be_made: int) -> Iterator[str]:
    yield (
        f"{plan.suite.name} version {plan.suite.version}: {len(plan.items)} of {plan.n_items_in_suite} items, "
        f"{plan.seeds} seed{'s' if plan.seeds > 1 else ''}, {len(plan.variants)} rows, "
        f"{len(plan.samples)} samples, of which {to_be_made} are to be made"
    )
    for variant in plan.variants:
        state = f"  unavailable: {variant.unavailable[0]}: {variant.unavailable[1]}" if variant.unavailable else ""
        state += f"  {variant.unscored_text}" if variant.unscored else ""
        yield f"  {variant.name}  [{variant.family}]{state}"
    yield f"  metrics: {', '.join(one.spec.name for one in plan.metrics)}"
    for preset, why in {one.preset: one.unavailable for one in plan.metrics if one.preset != "-"}.items():
        yield f"  judge {preset}" + (f"  unavailable: {why}" if why else "")


@contextlib.contextmanager
def _there(folder: Path) -> Iterator[Database | None]:
    """The run in this folder, to read; None where there is none yet."""
    if not (folder / FILE_NAME).is_file():
        yield None
        return
    database = Database(folder, write=False)
    try:
        yield database
    finally:
        database.close()


def _planned(database: Database | None) -> list[StoredPlan]:
    """The plans that a run holds; none where nothing was planned yet."""
    if database is None or database.connection.execute("SELECT 1 FROM suites").fetchone() is None:
        return []
    return load_plans(database)


def _refuse_lacking(order: Order) -> None:
    """Raise UnavailableError telling all that the suites lack at once, data and weights."""
    lacking = [told for name in expand_suites(list(order.suites)) if (told := what_lacks(load_suite(name)))]
    if lacking:
        raise UnavailableError("\n".join(lacking))
