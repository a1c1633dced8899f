"""`calm-eval compare`: its words, and what is printed."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "two runs: what changed, and what moved beyond chance"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `calm-eval compare`."""
    add = parser.add_argument
    add("before", type=Path, metavar="RUN_A", help="run folder")
    add("after", type=Path, metavar="RUN_B", help="run folder; differences are B less A")
    add("--out", type=Path, metavar="DIR", help="also write compare.md and compare.html there")


def run(arguments: argparse.Namespace) -> int:
    """Compare and print. Returns 0. Raises InputError or StoreError."""
    from calm_eval.reports.compare_page import compare_page
    from calm_eval.reports.compare_report import compare_report
    from calm_eval.reports.write_out import make_out, write_out
    from calm_eval.runs.compare import compare_runs
    from calm_eval.runs.run import load_run

    comparison = compare_runs(load_run(arguments.before), load_run(arguments.after))
    text = compare_report(comparison)
    print(text, end="")
    if arguments.out is not None:
        write_out(make_out(arguments.out) / "compare.md", text)
        write_out(arguments.out / "compare.html", compare_page(comparison))
        print(f"\nWritten: {arguments.out / 'compare.md'}, {arguments.out / 'compare.html'}")
    return 0
