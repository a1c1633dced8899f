"""`calm-eval page`: its words, and what is written."""

from __future__ import annotations

import argparse
from pathlib import Path

from calm_eval.errors import InputError

HELP = "a folder to open in a browser: tables, and every sample to listen to"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `calm-eval page`."""
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="run folder, finished or not")
    add("--suite", metavar="NAME", help="one of the run's suites (default: all)")
    add("--items", type=int, metavar="N", help="the first N items of each suite (default: all)")
    add("--rows", nargs="+", default=[], metavar="ROW", help="rows by name or pattern (default: all)")
    add("--seeds", type=int, default=1, metavar="N", help="the first N seeds (default: 1)")
    add("--audio", choices=("mp3", "flac"), default="mp3", help="default: mp3, which is smaller")
    add("--out", type=Path, metavar="DIR", help="folder (default: page in the run folder)")


def run(arguments: argparse.Namespace) -> int:
    """Write the page and say where. Returns 0. Raises InputError or StoreError."""
    from calm_eval.reports.page.make import write_page
    from calm_eval.reports.page.wish import PageWish
    from calm_eval.runs.run import load_run

    for name in ("items", "seeds"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise InputError(f"--{name} {value}: must be above 0")
    wish = PageWish(arguments.suite, arguments.items, tuple(arguments.rows), arguments.seeds, arguments.audio)
    folder = arguments.out if arguments.out is not None else arguments.run / "page"
    page = write_page(load_run(arguments.run), folder, wish)
    size = f"{page.bytes / 1e6:.1f} MB"
    print(f"Written: {page.folder / 'index.html'} ({page.samples} samples, {page.sounds} sounds, {size})")
    return 0
