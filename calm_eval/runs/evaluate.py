"""The stages in order: plan, generate, score, report. Each is a no-op on what is already there."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from calm_eval.errors import InputError
from calm_eval.keys import digest
from calm_eval.runs.busy import busy_line, load_average
from calm_eval.runs.database import FILE_NAME, Database, storage_errors
from calm_eval.runs.environment import describe_environment
from calm_eval.runs.forecast import Forecast
from calm_eval.runs.generate import GenerateStage
from calm_eval.runs.order import STAGES, Order, default_threads, make_plans
from calm_eval.runs.passes import judging
from calm_eval.runs.pieces import REPORT, pieces_of
from calm_eval.runs.plan_store import load_plans, save_metrics, save_plan
from calm_eval.runs.run import Run
from calm_eval.runs.samples import SampleStore
from calm_eval.runs.score import ScoreStage
from calm_eval.runs.speeds import SpeedBook, machine_of
from calm_eval.runs.waiting import NOTHING, as_stored, to_make
from calm_eval.runs.watch import Progress, Stopwatch


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
        about = describe_environment(order.conditions)
        environment = _environment(database, about)
        forecast = Forecast(SpeedBook(machine_of(about), progress.say), lambda: watch.wall, progress.say)
        progress.ahead = forecast.line
        if "generate" in stages:
            plans = make_plans(order, scratch, watch, progress)
            for plan in plans:
                save_plan(database, plan)
            with database.connection:
                database.connection.execute("INSERT OR REPLACE INTO meta VALUES ('order', ?)", [order.json()])
            reuse = [Path(one) for one in order.reuse]
            asked = [as_stored(plan) for plan in plans]
            waiting = to_make(asked, SampleStore(database), reuse, retry_failed=order.retry_failed)
            forecast.plan(pieces_of(load_plans(database), waiting, database, stages))
            for line in [*forecast.plan_lines(), *_trouble(order)]:
                progress.say(line)
            stage = GenerateStage(SampleStore(database), order.conditions, environment, watch, progress, forecast)
            for plan in plans:
                stage.run(plan, reuse=reuse, retry_failed=order.retry_failed)
            unavailable.update(stage.unavailable)
            generated = stage.generated
        if "score" in stages:
            in_run = load_plans(database)
            if "generate" in stages:
                forecast.revise(judging(in_run, NOTHING, database))
            else:
                forecast.plan(pieces_of(in_run, NOTHING, database, stages))
            score = ScoreStage(
                database, SampleStore(database), environment, order.conditions, watch, progress, forecast
            )
            for stored in in_run:
                save_metrics(database, stored.suite.name, score.run(stored))
            unavailable.update(score.unavailable)
            judged = score.judged
        run = Run(folder, unavailable)
        if "report" in stages:
            from calm_eval.reports.report import write_report

            began = time.perf_counter()
            write_report(run)
            forecast.finished(REPORT, time.perf_counter() - began)
        forecast.keep()
        if forecast.tenth is not None:
            progress.note(f"took {watch.wall:.0f} s in all; the forecast after a tenth was {forecast.tenth:.0f} s")
        _record(database, order, watch, generated, judged)
        shutil.rmtree(scratch, ignore_errors=True)
    return run


def _trouble(order: Order) -> list[str]:
    load = load_average()
    told = None if load is None else busy_line(load, default_threads(), order.conditions.threads)
    return [] if told is None else [told]


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


def _environment(database: Database, about: dict[str, Any]) -> str:
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
