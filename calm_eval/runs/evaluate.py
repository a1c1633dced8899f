"""The stages in order: plan, generate, score, report. Each is a no-op on what is already there."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from calm_eval.errors import InputError, UnavailableError
from calm_eval.keys import digest
from calm_eval.runs.database import FILE_NAME, Database, storage_errors
from calm_eval.runs.environment import describe_environment
from calm_eval.runs.generate import GenerateStage
from calm_eval.runs.plan import SuitePlan, Wishes, plan_suite
from calm_eval.runs.plan_store import load_plans, save_metrics, save_plan
from calm_eval.runs.run import Run
from calm_eval.runs.samples import SampleStore
from calm_eval.runs.score import ScoreStage
from calm_eval.runs.watch import Progress, Stopwatch
from calm_eval.specs.locate import expand_suites
from calm_eval.specs.suite import load_suite
from calm_eval.systems.engine import Conditions

STAGES = ("generate", "score", "report")


@dataclass(frozen=True)
class Order:
    """All that one call of `calm-eval run` asks for."""

    suites: tuple[str, ...]
    wishes: Wishes = field(default_factory=Wishes)
    conditions: Conditions = field(default_factory=Conditions)
    reuse: tuple[str, ...] = ()
    retry_failed: bool = False
    command: str = ""

    def json(self) -> str:
        """For the run folder, so that `calm-eval generate RUN` asks for the same again, from any folder."""
        told = asdict(self)
        told["suites"] = [_anywhere(name) for name in self.suites]
        if self.wishes.systems is not None:
            told["wishes"]["systems"] = [_anywhere(name) for name in self.wishes.systems]
        told["reuse"] = [_anywhere(name) for name in self.reuse]
        return json.dumps(told)

    @classmethod
    def from_json(cls, text: str) -> Order:
        """The order that a run folder holds."""
        told: dict[str, Any] = json.loads(text)
        told["wishes"] = Wishes(**told["wishes"])
        told["conditions"] = Conditions(**told["conditions"])
        return cls(**{**told, "suites": tuple(told["suites"]), "reuse": tuple(told["reuse"])})


def _anywhere(name: str) -> str:
    """A path made absolute; a bundled name as it is."""
    return str(Path(name).resolve()) if Path(name).exists() else name


def default_threads() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_folder(suites: Sequence[str]) -> Path:
    """`runs/<what was asked for>`: the same words give the same folder, so that the same command resumes."""
    names = [name.removeprefix("suites/").rstrip("/").removesuffix(".yaml") for name in suites]
    words = ["-".join(part for part in Path(name).parts if part not in ("/", "..", ".")) for name in names]
    return Path("runs") / "+".join(words)


def make_plans(order: Order, scratch: Path, watch: Stopwatch, progress: Progress) -> list[SuitePlan]:
    """The plans of all suites of an order. Raises InputError or UnavailableError."""
    plans = []
    for name in expand_suites(list(order.suites)):
        suite = load_suite(name)
        reported = [False]

        def building(done: int, total: int, title: str = suite.spec.name, reported: list[bool] = reported) -> None:
            if not reported[0]:
                progress.say(f"{title}: building {total} readings (first use only)")
                reported[0] = True

        plans.append(plan_suite(suite, order.wishes, order.conditions, scratch, watch, building))
    doubled = [plan.suite.name for plan in plans]
    for one in doubled:
        if doubled.count(one) > 1:
            raise InputError(f"suite '{one}' is asked for twice")
    return plans


def evaluate(order: Order, folder: Path, *, stages: Sequence[str] = STAGES, quiet: bool = False) -> Run:
    """Work on a run folder until the wished stages are complete.

    Raises CalmEvalError; nothing that was finished is ever lost.
    """
    watch = Stopwatch()
    for other in order.reuse:
        if not (Path(other) / FILE_NAME).is_file():
            raise InputError(f"--reuse {other}: no run there (no {FILE_NAME})")
    with _opened(folder) as database:
        progress = Progress(folder / "logs" / "run.log", quiet=quiet)
        scratch = folder / "scratch"
        _clean(folder, scratch)
        unavailable: dict[str, str] = {}
        generated = judged = 0
        environment = _environment(database, order.conditions)
        if "generate" in stages:
            plans = make_plans(order, scratch, watch, progress)
            for plan in plans:
                save_plan(database, plan)
            with database.connection:
                database.connection.execute("INSERT OR REPLACE INTO meta VALUES ('order', ?)", [order.json()])
            stage = GenerateStage(SampleStore(database), order.conditions, environment, watch, progress)
            for plan in plans:
                stage.run(plan, reuse=[Path(one) for one in order.reuse], retry_failed=order.retry_failed)
            unavailable.update(stage.unavailable)
            generated = stage.generated
        if "score" in stages:
            conditions = order.conditions
            score = ScoreStage(
                database, SampleStore(database), environment, conditions.device, conditions.threads, watch, progress
            )
            for stored in load_plans(database):
                save_metrics(database, stored.suite.name, score.run(stored))
            unavailable.update(score.unavailable)
            judged = score.judged
        run = Run(folder, unavailable)
        if "report" in stages:
            from calm_eval.reports.report import write_report

            write_report(run)
        _record(database, order, watch, generated, judged)
        shutil.rmtree(scratch, ignore_errors=True)
    return run


def stored_order(folder: Path) -> Order:
    """What a run folder was asked for last. Raises StoreError or InputError."""
    database = Database(folder, write=False)
    try:
        row = database.connection.execute("SELECT value FROM meta WHERE key = 'order'").fetchone()
    finally:
        database.close()
    if row is None:
        raise InputError(f"{folder}: this run was never planned; use `calm-eval run`")
    return Order.from_json(row[0])


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[Database]:
    database = Database(folder, write=True)
    try:
        with storage_errors(folder):
            yield database
    finally:
        database.close()


def _clean(folder: Path, scratch: Path) -> None:
    """Remove what a killed process left half written."""
    shutil.rmtree(scratch, ignore_errors=True)
    for place in (".", "audio/*", "embeddings/*"):
        for path in folder.glob(f"{place}/.writing-*"):
            path.unlink()


def _environment(database: Database, conditions: Conditions) -> str:
    about = describe_environment(conditions)
    name = digest(about)[:16]
    with database.connection:
        database.connection.execute("INSERT OR IGNORE INTO environments VALUES (?, ?)", [name, json.dumps(about)])
    return name


def _record(database: Database, order: Order, watch: Stopwatch, generated: int, judged: int) -> None:
    row = (order.command, watch.began_at, watch.wall, watch.marked["model"], watch.marked["judge"], generated, judged)
    with database.connection:
        database.connection.execute(
            "INSERT INTO invocations (command, began, wall_seconds, model_seconds, judge_seconds, generated, judged) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            row,
        )


def _refuse_lacking(order: Order) -> None:
    """Raise UnavailableError telling all that the suites lack at once, data and weights."""
    from calm_eval.runs.lacking import what_lacks

    lacking = [told for name in expand_suites(list(order.suites)) if (told := what_lacks(load_suite(name)))]
    if lacking:
        raise UnavailableError("\n".join(lacking))


def dry_run(order: Order, folder: Path) -> str:
    """What `evaluate` would do, in words and counts; writes nothing but the corpora it must know."""
    _refuse_lacking(order)
    with tempfile.TemporaryDirectory(prefix="calm-eval-plan-") as scratch:
        progress = Progress(Path(scratch) / "plan.log")
        plans = make_plans(order, Path(scratch) / "scratch", Stopwatch(), progress)
    lines = []
    for plan in plans:
        there: set[str] = set()
        if (folder / FILE_NAME).is_file():
            database = Database(folder, write=False)
            try:
                there = SampleStore(database).finished([one.key for one in plan.samples])
            finally:
                database.close()
        lines.append(
            f"{plan.suite.name} version {plan.suite.version}: {len(plan.items)} of {plan.n_items_in_suite} items, "
            f"{plan.seeds} seed{'s' if plan.seeds > 1 else ''}, {len(plan.variants)} rows, "
            f"{len(plan.samples)} samples, of which {len(plan.samples) - len(there)} are to be made"
        )
        for variant in plan.variants:
            state = f"  unavailable: {variant.unavailable[0]}: {variant.unavailable[1]}" if variant.unavailable else ""
            state += f"  {variant.unscored_text}" if variant.unscored else ""
            lines.append(f"  {variant.name}  [{variant.family}]{state}")
        lines.append(f"  metrics: {', '.join(one.spec.name for one in plan.metrics)}")
        for preset, why in {one.preset: one.unavailable for one in plan.metrics if one.preset != "-"}.items():
            lines.append(f"  judge {preset}" + (f"  unavailable: {why}" if why else ""))
    lines.append(f"run folder: {folder}")
    return "\n".join(lines)
