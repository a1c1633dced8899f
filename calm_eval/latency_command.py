"""`calm-eval latency`: its words, what they order, and what is printed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from calm_eval.errors import InputError

if TYPE_CHECKING:
    from calm_eval.latency.order import LatencyOrder

HELP = "where the time of a step goes, one system beside another"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `calm-eval latency`."""
    add = parser.add_argument
    add("systems", nargs="+", metavar="SYSTEM", help="NAME or NAME:steps=4,temperature=0.7, or one latency suite")
    add("--against", metavar="SYSTEM", help="the row that the others stand beside, written in the same way")
    add("--same-backbone", action="store_true", help="the rows share a backbone: the head must explain the difference")
    add("--task", help="needed where the systems share more than one")
    add("--prompt", type=Path, metavar="FILE", help="audio prompt (default: three seconds made here)")
    add("--tier", choices=("full", "cpu"), help="how much is measured (default: cpu on a CPU, else full)")
    add("--duration", type=float, metavar="S", help="seconds of audio a generation (default: as the tier says)")
    add("--generations", type=int, metavar="N", help="generations that count (default: as the tier says)")
    add("--batches", type=int, nargs="+", default=[], metavar="N", help="batch sizes for throughput, beside 1")
    add("--scale", type=float, default=1.0, metavar="F", help="shrink the presets' depth and width; untrained then")
    add("--quality", type=Path, metavar="RUN", help="a scored run with these rows: quality against time")
    add("--out", type=Path, metavar="DIR", help="folder (default: runs/latency)")
    add("--device", default="cpu", help="cpu, cuda, cuda:1 (default: cpu)")
    add("--dtype", default="float32", help="dtype that systems are asked to use")
    add("--threads", type=int, metavar="N", help="CPU threads (default: all cores)")
    add("--item-timeout", type=float, metavar="S", help="seconds that one generation may take (default: 300)")


def run(arguments: argparse.Namespace) -> int:
    """Measure, report, print. Returns 0, or 4 when no row could be measured. Raises InputError."""
    from calm_eval.latency.run import run_latency
    from calm_eval.reports.latency.published_ratios import check_published
    from calm_eval.reports.latency.report import write_latency_report

    order = _order(arguments)
    check_published(order.published, [row.published for row in order.rows])
    folder = arguments.out if arguments.out is not None else Path("runs") / "latency"
    measurement = run_latency(order, folder)
    write_latency_report(measurement, folder)
    print((folder / "report.md").read_text(encoding="utf-8"))
    print(f"Written: {folder / 'report.md'}, {folder / 'latency.csv'}, {folder / 'latency.json'}")
    return 0 if any(one.failure is None for one in measurement.rows) else 4


def _order(arguments: argparse.Namespace) -> LatencyOrder:
    from calm_eval.latency.order import LatencyOrder, rows_of_call
    from calm_eval.latency.tier import TIERS, default_tier
    from calm_eval.runs.order import default_threads
    from calm_eval.systems.engine import Conditions

    for name in ("duration", "generations", "threads", "item_timeout"):
        value = getattr(arguments, name)
        if value is not None and value <= 0:
            raise InputError(f"--{name.replace('_', '-')} {value}: must be above 0")
    if any(size < 1 for size in arguments.batches):
        raise InputError("--batches: sizes are 1 or more")
    if arguments.prompt is not None and not arguments.prompt.is_file():
        raise InputError(f"--prompt {arguments.prompt}: no such file")
    if arguments.quality is not None and not arguments.quality.is_dir():
        raise InputError(f"--quality {arguments.quality}: no such run folder")
    rows = rows_of_call(arguments.systems, arguments.against, arguments.same_backbone)
    if arguments.task is not None and rows.task not in (None, arguments.task):
        raise InputError(f"--task {arguments.task}: the suite's task is {rows.task}")
    tier = TIERS[arguments.tier] if arguments.tier is not None else default_tier(arguments.device)
    return LatencyOrder(
        title=rows.title,
        rows=rows.rows,
        against=rows.against,
        tier=tier.with_(arguments.generations, arguments.duration),
        conditions=Conditions(
            device=arguments.device,
            dtype=arguments.dtype,
            threads=arguments.threads or default_threads(),
            item_timeout=arguments.item_timeout,
        ),
        task=rows.task or arguments.task,
        prompt=arguments.prompt,
        batches=tuple(dict.fromkeys(arguments.batches)),
        scale=arguments.scale,
        published=rows.published,
        notes=rows.notes,
        quality=arguments.quality,
        command=arguments.command_line,
    )
