"""`python benchmarks/bars.py N`: every bar of milestone N, measured here and now, PASS or FAIL, and the machine.

With `--save` the same text is written to `benchmarks/results/bars_N.md`. With `--work DIR` what is slow to make
(generated audio, simulations) is kept there, and taken from there by a second call.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from bar import Bar

MILESTONES = {
    "2": "first_run",
    "3": "model_speed",
    "4": "minis",
    "5": "metrics",
    "6": "suites",
    "7": "latency",
    "8": "reporting",
    "9": "gating",
    "10": "papers_judges",
}


def machine() -> str:
    """The processor, its cores and the Python, in one line."""
    import os

    from calm_eval.runs.environment import describe_environment
    from calm_eval.systems.engine import Conditions

    about = describe_environment(Conditions())
    return f"{about['processor']}, {os.cpu_count()} cores, {platform.platform()}, Python {about['python']}"


def table(bars: list[Bar]) -> str:
    """A Markdown table, one row a bar."""
    words = {True: "PASS", False: "FAIL", None: "-"}
    rows = [f"| {bar.name} | {bar.limit} | {bar.measured} | {words[bar.passed]} |" for bar in bars]
    return "\n".join(["| bar | limit | measured | |", "| :-- | :-- | :-- | :-- |", *rows])


def main() -> int:
    """Returns 0 when every bar passes, 1 when one fails, 2 on a wrong call."""
    parser = argparse.ArgumentParser(description="Measure every bar of a milestone.")
    parser.add_argument("milestone", choices=list(MILESTONES))
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/bars_N.md")
    parser.add_argument("--work", type=Path, help="a folder that keeps what is slow to make, for a second call")
    chosen = parser.parse_args()
    bars: list[Bar] = importlib.import_module(MILESTONES[chosen.milestone]).bars(chosen.work)
    when = datetime.now(UTC).date().isoformat()
    text = f"# Bars of milestone {chosen.milestone}\n\nMeasured on {when}: {machine()}.\n\n{table(bars)}\n"
    print(text)
    if chosen.save:
        results = Path(__file__).parent / "results"
        results.mkdir(exist_ok=True)
        (results / f"bars_{chosen.milestone}.md").write_text(text, encoding="utf-8")
    return 1 if any(bar.passed is False for bar in bars) else 0


if __name__ == "__main__":
    sys.exit(main())
