"""What one call of `calm-eval run` asks for, and the plans that come of it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from calm_eval.errors import InputError
from calm_eval.runs.database import Database
from calm_eval.runs.plan import SuitePlan, Wishes, plan_suite
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


def stored_order(folder: Path) -> Order:
    """What a run folder was asked for last. Raises StoreError or InputError."""
    database = Database(folder, write=False)
    try:
        text = _order_text(database)
    finally:
        database.close()
    if text is None:
        raise InputError(f"{folder}: this run was never planned; use `calm-eval run`")
    return Order.from_json(text)


def command_of(database: Database) -> str:
    """The words that a run was asked for with, empty where it was not asked for in words."""
    text = _order_text(database)
    command: str = json.loads(text)["command"] if text is not None else ""
    return command


def _order_text(database: Database) -> str | None:
    row = database.connection.execute("SELECT value FROM meta WHERE key = 'order'").fetchone()
    return None if row is None else row[0]
