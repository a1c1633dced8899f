"""The bars of the four mini suites: cost, controls, comparisons, and how the heads' time grows with their steps.

Runs lie in a folder of the caller's: `quick`, `full` and `ablation` are made by `calm-eval run` where they are not
there. What a run cost is read from the run itself, so that one made earlier will do; the cost is that of a run which
found corpora and assets in the cache.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import suites_controls
import suites_heads
import suites_rows
from bar import Bar

from calm_eval.runs.run import Run, load_run

ROOT = Path(__file__).resolve().parent.parent
RUNS = {
    "quick": ("suites/mini",),
    "full": ("suites/mini", "--full"),
    "ablation": ("more/ablation", "--full"),
}
QUICK, FULL = 15 * 60.0, 120 * 60.0
NEAR = 0.3
LINE = re.compile(r"^(\S+) forecast after a tenth: (at least )?([0-9]+) s in all")


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
    least: bool

    @property
    def error(self) -> float:
        """Forecast less truth, as a share of the truth."""
        return self.said / self.took - 1


def bars(work: Path | None = None) -> list[Bar]:
    """Everything; about two and a half hours on two cores where `work` holds no runs."""
    with tempfile.TemporaryDirectory() as spare:
        folder = work or Path(spare)
        quick, full, ablation = (made(folder / name, words) for name, words in RUNS.items())
        return [
            within("quick run of the four suites, wall time", quick, QUICK),
            within("full run of the four suites, wall time", full, FULL),
            forecast("forecast of the full run after a tenth", full, decides=True),
            forecast("forecast of the quick run after a tenth", quick, decides=False),
            *suites_controls.bars(full),
            *suites_rows.bars(full, ablation),
            *suites_heads.bars(),
        ]


def made(folder: Path, words: Sequence[str]) -> Run:
    """The run in a folder; made there when there is none."""
    if not (folder / "run.sqlite").is_file():
        argv = [sys.executable, "-m", "calm_eval.cli", "run", *words, "--out", str(folder.resolve())]
        subprocess.run(argv, cwd=ROOT, check=True)
    return load_run(folder)


def calls(run: Run) -> list[Call]:
    """The calls that worked on a run, in their order."""
    table = run.invocations()
    return [
        Call(datetime.fromisoformat(began), float(seconds))
        for began, seconds in zip(table["began"], table["wall_seconds"], strict=True)
    ]


def within(name: str, run: Run, limit: float) -> Bar:
    """All calls on a run together."""
    found = calls(run)
    seconds = sum(call.seconds for call in found)
    measured = f"{seconds / 60:.1f} min in {len(found)} call{'' if len(found) == 1 else 's'}"
    return Bar(name, f"at most {limit / 60:.0f} min", measured, bool(found) and seconds <= limit)


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


def forecast(name: str, run: Run, *, decides: bool) -> Bar:
    """The forecast of the longest call on a run against what that call took."""
    log = run.folder / "logs" / "run.log"
    found = foretold(log.read_text(encoding="utf-8") if log.is_file() else "", calls(run))
    limit = f"within {NEAR:.0%} of the time it took"
    if not found:
        return Bar(name, limit, "no forecast in the log", False if decides else None)
    one = max(found, key=lambda each: each.took)
    measured = f"{'at least ' if one.least else ''}{one.said:.0f} s said, {one.took:.0f} s taken ({one.error:+.0%})"
    return Bar(name, limit, measured, (not one.least and abs(one.error) <= NEAR) if decides else None)
