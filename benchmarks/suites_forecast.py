"""What is forecast after the first tenth of a run, against what the run took: as it was said, and replayed.

The replay takes the samples of a finished run in the order and at the moments in which they were made. It knows the
judges' and metrics' past speeds on this machine, and of rows it knows nothing but what the replay has shown so far: as
on a machine that has judged before and meets these systems for the first time.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bar import Bar

from calm_eval.runs.database import Database
from calm_eval.runs.environment import last_environment
from calm_eval.runs.forecast import Forecast
from calm_eval.runs.order import STAGES
from calm_eval.runs.pieces import pieces_of, sample_units
from calm_eval.runs.plan_store import load_plans
from calm_eval.runs.run import Run
from calm_eval.runs.speeds import SpeedBook, machine_of
from calm_eval.runs.waiting import Waiting

NEAR = 0.3
LIMIT = f"within {NEAR:.0%} of the time it took"
LINE = re.compile(r"^(\S+) forecast after a tenth: (at least )?([0-9]+) s in all")
OF_ROWS = ("row/", "kin/row/", "any/row")


@dataclass(frozen=True)
class Call:
    """One call of `calm-eval` on a run: when it began, and its wall time in seconds."""

    began: datetime
    seconds: float

    def holds(self, moment: datetime) -> bool:
        """Whether a moment lies in the call; times are told to the second."""
        margin = timedelta(seconds=1)
        return self.began - margin <= moment <= self.began + timedelta(seconds=self.seconds) + margin


@dataclass(frozen=True)
class Foretold:
    """What was said after the first tenth of a call, in seconds for all of it, and what the call took.

    `least`: it was said to be `at least` that, since the speed of a part was not known.
    """

    said: float
    took: float
    least: bool = False

    @property
    def error(self) -> float:
        """Forecast less truth, as a share of the truth."""
        return self.said / self.took - 1

    def bar(self, name: str, *, decides: bool) -> Bar:
        """As a bar, or as a line that decides nothing."""
        told = f"{'at least ' if self.least else ''}{self.said:.0f} s said, {self.took:.0f} s taken ({self.error:+.0%})"
        return Bar(name, LIMIT, told, (not self.least and abs(self.error) <= NEAR) if decides else None)


def calls(run: Run) -> list[Call]:
    """The calls that worked on a run, in their order."""
    table = run.invocations()
    return [
        Call(datetime.fromisoformat(began), float(seconds))
        for began, seconds in zip(table["began"], table["wall_seconds"], strict=True)
    ]


def foretold(log: str, made_by: Sequence[Call]) -> list[Foretold]:
    """Each forecast of a log that was made inside a call which came to its end."""
    found = []
    for line in log.splitlines():
        said = LINE.match(line)
        if said is None:
            continue
        moment = datetime.fromisoformat(said[1])
        call = next((one for one in made_by if one.holds(moment)), None)
        if call is not None:
            found.append(Foretold(float(said[3]), call.seconds, said[2] is not None))
    return found


def bars(quick: Run, full: Run) -> list[Bar]:
    """As said in both runs, and the full one replayed, which decides."""
    replayed = replay(full, max(calls(full), key=lambda call: call.seconds))
    return [
        _said("quick run: forecast after a tenth, as said", quick),
        _said("full run: forecast after a tenth, as said", full),
        Bar("full run: forecast after a tenth, replayed", LIMIT, "never made", False)
        if replayed is None
        else replayed.bar("full run: forecast after a tenth, replayed with no row known before", decides=True),
    ]


def _said(name: str, run: Run) -> Bar:
    log = run.folder / "logs" / "run.log"
    found = foretold(log.read_text(encoding="utf-8") if log.is_file() else "", calls(run))
    if not found:
        return Bar(name, LIMIT, "no forecast in the log", None)
    return max(found, key=lambda each: each.took).bar(name, decides=False)


def replay(run: Run, call: Call) -> Foretold | None:
    """What would be said after a tenth of a call; None where a tenth is never reached."""
    with contextlib.closing(Database(run.folder, write=False)) as database:
        made = {
            row["key"]: datetime.fromisoformat(row["made_at"])
            for row in database.connection.execute("SELECT key, made_at FROM samples WHERE failure IS NULL")
        }
        inside = {key: moment for key, moment in made.items() if call.holds(moment)}
        plans = [
            replace(plan, samples=[one for one in plan.samples if one.key in inside]) for plan in load_plans(database)
        ]
        book = SpeedBook(machine_of(last_environment(database)), print)
    book.past = {key: speed for key, speed in book.past.items() if not key.startswith(OF_ROWS)}
    clock = 0.0
    forecast = Forecast(book, lambda: clock, lambda _: None)
    pieces = pieces_of(plans, Waiting({plan.suite.name: plan.samples for plan in plans}), None, STAGES)
    # The store does not tell the starts of systems apart: they are in the time of the first samples.
    forecast.plan(piece for piece in pieces if piece.name[0] != "start")
    whose = {one.key: (plan, one) for plan in reversed(plans) for one in plan.samples}
    for key in sorted(inside, key=lambda one: inside[one]):
        plan, sample = whose[key]
        now = (inside[key] - call.began).total_seconds()
        seconds, clock = now - clock, now
        units = sample_units(plan.items.values())[sample.item]
        forecast.did(("row", plan.suite.name, sample.variant), seconds, units=units)
        if forecast.tenth is not None:
            return Foretold(forecast.tenth, call.seconds)
    return None
