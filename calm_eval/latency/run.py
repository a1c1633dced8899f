"""One call of `calm-eval latency`, from the order to the folder with the measurement and its report."""

from __future__ import annotations

import shutil
from pathlib import Path

from calm_eval.errors import InputError
from calm_eval.latency.bandwidth import read_bandwidth
from calm_eval.latency.desks import Bench
from calm_eval.latency.fits import check_memory
from calm_eval.latency.machine import machine_state
from calm_eval.latency.measure import measure
from calm_eval.latency.measured import Measurement
from calm_eval.latency.order import LatencyOrder
from calm_eval.runs.environment import describe_environment
from calm_eval.runs.watch import Progress

FILE_NAME = "latency.json"
QUIET = 0.3
"""Below this load average, before it begins, a measurement is of its systems alone."""


def run_latency(order: LatencyOrder, folder: Path) -> Measurement:
    """Measure, and write `latency.json`. Raises InputError before anything is computed."""
    if order.scale <= 0 or order.scale > 1:
        raise InputError(f"--scale {order.scale:g}: above 0 and at most 1")
    check_memory([row.wish.system for row in order.rows], order.scale, order.conditions)
    folder.mkdir(parents=True, exist_ok=True)
    progress = Progress(folder / "logs" / "latency.log")
    before = machine_state()
    load = before["load"]
    if load is not None and load >= QUIET:
        progress.say(f"load average {load:.2f}: other work slows what is measured; below {QUIET} is quiet")
    bench = Bench(order.tier, order.conditions, folder, order.task, order.prompt, order.batches, order.scale)
    try:
        task, rows = measure([row.wish for row in order.rows], bench, progress)
    finally:
        shutil.rmtree(folder / "scratch", ignore_errors=True)
    on_cpu = order.conditions.device == "cpu"
    about = {
        "title": order.title,
        "task": task,
        "tier": order.tier.name,
        "tier_text": order.tier.text,
        "percentiles": list(order.tier.percentiles),
        "against": order.against,
        "same_backbone": [row.same_backbone for row in order.rows],
        "published_table": order.published,
        "published_rows": [list(row.published) if row.published else None for row in order.rows],
        "scale": order.scale,
        "notes": list(order.notes),
        "quality": str(order.quality) if order.quality else None,
        "command": order.command,
        "environment": describe_environment(order.conditions),
        "before": before,
        "after": machine_state(),
        "read_bandwidth": read_bandwidth(order.conditions.threads) if on_cpu else None,
    }
    measurement = Measurement(about, rows)
    measurement.write(folder / FILE_NAME)
    return measurement
