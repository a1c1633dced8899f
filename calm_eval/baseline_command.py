"""`calm-eval baseline`: its words, and what is written."""

from __future__ import annotations

import argparse
from pathlib import Path

from calm_eval.errors import InputError

HELP = "what later runs are held against: accept a run, note one for the trend, show the trend"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `calm-eval baseline`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    accept = actions.add_parser("accept", help="write a run down as the baseline")
    accept.add_argument("run", type=Path, metavar="RUN", help="run folder")
    accept.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder of the baseline, fit for git")
    accept.add_argument("--why", required=True, metavar="TEXT", help="for the reviewer, and for history")
    accept.add_argument("--rows", nargs="+", default=[], metavar="ROW", help="keep these rows alone (default: all)")
    accept.add_argument("--policy", type=Path, metavar="YAML", help="a policy to keep with it")
    accept.add_argument("--audio", action="store_true", help="keep the sounds too: `gate --rescore` needs them")
    accept.add_argument("--embeddings", action="store_true", help="keep embeddings too: gates on FAD and KAD need them")
    note = actions.add_parser("note", help="add a run's values to the series of nightly runs, without accepting it")
    note.add_argument("run", type=Path, metavar="RUN", help="run folder")
    note.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder of the baseline")
    trend = actions.add_parser("trend", help="the series of nightly runs: where the next should lie, what moved")
    trend.add_argument("baseline", type=Path, metavar="DIR", help="folder of the baseline")
    trend.add_argument("--policy", type=Path, metavar="YAML", help="default: the one that was accepted with it")
    trend.add_argument("--out", type=Path, metavar="STEM", help="also draw STEM.svg and STEM.png")


def run(arguments: argparse.Namespace) -> int:
    """Do it and say what was done. Returns 0. Raises InputError or StoreError."""
    return {"accept": _accept, "note": _note, "trend": _trend}[arguments.action](arguments)


def _accept(arguments: argparse.Namespace) -> int:
    from calm_eval.gate.baseline import accept
    from calm_eval.runs.database import storage_errors
    from calm_eval.runs.run import load_run

    candidate = load_run(arguments.run)
    with storage_errors(arguments.to):
        baseline = accept(
            candidate,
            arguments.to,
            arguments.why,
            rows=arguments.rows,
            policy=arguments.policy,
            audio=arguments.audio,
            embeddings=arguments.embeddings,
        )
    rows = sum(len(suite.rows) for suite in baseline.snapshot.suites.values())
    size = sum(path.stat().st_size for path in arguments.to.rglob("*") if path.is_file())
    print(f"Written: {arguments.to} ({rows} rows, {size / 1e6:.1f} MB)")
    return 0


def _note(arguments: argparse.Namespace) -> int:
    from calm_eval.gate.trend import NIGHTLY, note_run
    from calm_eval.runs.run import load_run

    count = note_run(load_run(arguments.run), arguments.to)
    print(f"Noted: {count} values in {arguments.to / NIGHTLY}")
    return 0


def _trend(arguments: argparse.Namespace) -> int:
    from calm_eval.gate.trend import trend_text, trends
    from calm_eval.gate.trend_plot import trend_plot

    found = trends(arguments.baseline, arguments.policy)
    print(trend_text(found), end="")
    if arguments.out is not None:
        if not arguments.out.parent.is_dir():
            raise InputError(f"--out {arguments.out}: {arguments.out.parent}: no such folder")
        if not trend_plot(found, arguments.out):
            raise InputError("trend: no noted run has a value of these gates; nothing to draw")
        print(f"\nWritten: {arguments.out}.svg, {arguments.out}.png")
    return 0
