"""`calm-eval export`: its words, and what is written."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from calm_eval.errors import InputError

FORMATS = ("json", "model-index", "tensorboard", "wandb", "mlflow")

HELP = "estimates as JSON, a model card's block, or runs of a tracker"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `calm-eval export`."""
    add = parser.add_argument
    add("run", type=Path, metavar="RUN", help="run folder")
    add("format", choices=FORMATS, help="trackers need the extra of their name")
    add("--row", metavar="ROW", help="the row of a model-index")
    add("--out", type=Path, required=True, metavar="PATH", help="a file for json and model-index, else a folder")


def run(arguments: argparse.Namespace) -> int:
    """Write the export. Returns 0. Raises InputError, StoreError or UnavailableError."""
    from calm_eval.reports.exports import trackers
    from calm_eval.reports.exports.model_index import model_index
    from calm_eval.reports.exports.results import results
    from calm_eval.reports.write_out import write_out
    from calm_eval.runs.run import load_run

    told = results(load_run(arguments.run))
    if arguments.format in ("json", "model-index"):
        if arguments.format == "model-index" and arguments.row is None:
            raise InputError("export model-index: name the row with --row")
        text = (
            json.dumps(told, indent=1, allow_nan=False)
            if arguments.format == "json"
            else model_index(told, arguments.row)
        )
        write_out(arguments.out, text.rstrip() + "\n")
        print(f"Written: {arguments.out}")
        return 0
    write = {"tensorboard": trackers.tensorboard, "wandb": trackers.wandb, "mlflow": trackers.mlflow}
    count = write[arguments.format](told, arguments.out)
    print(f"Written: {count} rows to {arguments.out}")
    return 0
