"""`calm-eval figure`: its words, and what is drawn."""

from __future__ import annotations

import argparse
from pathlib import Path

KINDS = ("differences", "distribution", "heat-map", "quality-diversity", "set-size")

HELP = "a figure of a run, with a caption that says how it was made"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `calm-eval figure`."""
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="run folder")
    add("kind", choices=KINDS, help="what is drawn")
    add("--suite", metavar="NAME", help="needed where the run has several")
    add("--metric", metavar="NAME", help="default: the one that the suite picks by, or its first")
    add("--second", metavar="NAME", help="the metric of diversity, for quality-diversity")
    add("--rows", nargs="+", default=[], metavar="ROW", help="rows by name or pattern; two for differences")
    add("--out", type=Path, metavar="STEM", help="STEM.svg and STEM.png (default: KIND in the run's figures/)")


def run(arguments: argparse.Namespace) -> int:
    """Draw, and print the caption. Returns 0. Raises InputError or StoreError."""
    from calm_eval.reports.figures.make import figure_of_run
    from calm_eval.reports.figures.wish import FigureWish
    from calm_eval.runs.run import load_run

    found = load_run(arguments.run)
    stem = arguments.out
    if stem is None:
        (arguments.run / "figures").mkdir(exist_ok=True)
        stem = arguments.run / "figures" / arguments.kind
    wish = FigureWish(arguments.metric, arguments.second, tuple(arguments.rows))
    print(figure_of_run(found, arguments.kind, wish, stem, arguments.suite))
    print(f"Written: {stem}.svg, {stem}.png")
    return 0
