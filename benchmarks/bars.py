"""`python benchmarks/bars.py N`: every bar of milestone N, measured here and now, PASS or FAIL, and the machine.

With `--save` the same text is written to `benchmarks/results/bars_N.md`.
"""

from __future__ import annotations

import importlib
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from bar import Bar

MILESTONES = {"2": "first_run", "3": "model_speed", "4": "minis", "5": "metrics"}


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
    words = [word for word in sys.argv[1:] if word != "--save"]
    if len(words) != 1 or words[0] not in MILESTONES:
        print(f"usage: python benchmarks/bars.py {{{','.join(MILESTONES)}}} [--save]", file=sys.stderr)
        return 2
    bars: list[Bar] = importlib.import_module(MILESTONES[words[0]]).bars()
    when = datetime.now(UTC).date().isoformat()
    text = f"# Bars of milestone {words[0]}\n\nMeasured on {when}: {machine()}.\n\n{table(bars)}\n"
    print(text)
    if "--save" in sys.argv:
        results = Path(__file__).parent / "results"
        results.mkdir(exist_ok=True)
        (results / f"bars_{words[0]}.md").write_text(text, encoding="utf-8")
    return 1 if any(bar.passed is False for bar in bars) else 0


if __name__ == "__main__":
    sys.exit(main())
