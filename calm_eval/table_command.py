"""`calm-eval table`: its words, and what is printed."""

from __future__ import annotations

import argparse
from pathlib import Path

from calm_eval.errors import InputError

HELP = "tables of a run as Markdown, LaTeX or CSV, in a layout of choice"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `calm-eval table`."""
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="run folder")
    add("--layout", default="paper", metavar="NAME|FILE", help="paper, sweep, ablation, latency, or a YAML file")
    add("--format", default="markdown", choices=("markdown", "latex", "csv"), help="default: markdown")
    add("--suite", metavar="NAME", help="one of the run's suites (default: all)")
    add("--out", type=Path, metavar="FILE", help="write there instead of printing")


def run(arguments: argparse.Namespace) -> int:
    """Make the tables and print or write them. Returns 0. Raises InputError or StoreError."""
    from calm_eval.reports.tables.make import FORMATS, tables_of_run
    from calm_eval.reports.write_out import write_out
    from calm_eval.runs.run import load_run
    from calm_eval.specs.layout import load_layout

    layout = load_layout(arguments.layout)
    if arguments.suite is not None:
        layout = layout.model_copy(update={"suite": arguments.suite})
    tables = tables_of_run(load_run(arguments.run), layout)
    if not tables:
        raise InputError(f"layout '{arguments.layout}': nothing in {arguments.run} to show in it")
    text = FORMATS[arguments.format](tables)
    if arguments.out is None:
        print(text, end="")
        return 0
    write_out(arguments.out, text)
    print(f"Written: {arguments.out}")
    return 0
