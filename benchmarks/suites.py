"""The bars of the four mini suites: cost, controls, comparisons, and how the heads' time grows with their steps.

Runs lie in a folder of the caller's: `quick`, `full` and `ablation` are made by `calm-eval run` where they are not
there. What a run cost is read from the run itself, so that one made earlier will do; the cost is that of a run which
found corpora and assets in the cache.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import suites_controls
import suites_forecast
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


def bars(work: Path | None = None) -> list[Bar]:
    """Everything; about two and a half hours on two cores where `work` holds no runs."""
    with tempfile.TemporaryDirectory() as spare:
        folder = work or Path(spare)
        quick, full, ablation = (made(folder / name, words) for name, words in RUNS.items())
        return [
            within("quick run of the four suites, wall time", quick, QUICK),
            within("full run of the four suites, wall time", full, FULL),
            *suites_forecast.bars(quick, full),
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


def within(name: str, run: Run, limit: float) -> Bar:
    """All calls on a run together."""
    found = suites_forecast.calls(run)
    seconds = sum(call.seconds for call in found)
    measured = f"{seconds / 60:.1f} min in {len(found)} call{'' if len(found) == 1 else 's'}"
    return Bar(name, f"at most {limit / 60:.0f} min", measured, bool(found) and seconds <= limit)
