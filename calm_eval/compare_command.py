"""`calm-eval compare`: its words, and what is printed."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `calm-eval compare`."""
    add = parser.add_argument
    add("before", type=Path, metavar="RUN_A", help="run folder")
    add("after", type=Path, metavar="RUN_B", help="run folder; differences are B less A")
    add("--out", type=Path, metavar="DIR", help="also write compare.md there")


def run(arguments: argparse.Namespace) -> int:
    """Compare and print. Returns 0. Raises InputError or StoreError."""
    from calm_eval.audio.write import write_atomically
    from calm_eval.reports.compare_report import compare_report
    from calm_eval.runs.compare import compare_runs
    from calm_eval.runs.run import load_run

    text = compare_report(compare_runs(load_run(arguments.before), load_run(arguments.after)))
    print(text, end="")
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        write_atomically(arguments.out / "compare.md", text.encode())
        print(f"\nWritten: {arguments.out / 'compare.md'}")
    return 0
