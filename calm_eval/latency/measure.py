"""Measuring: whole generations of every row, one beside another, in several processes of each system."""

from __future__ import annotations

import time
from collections.abc import Sequence

from calm_eval.latency.asked import asked_items
from calm_eval.latency.desks import Bench, Desk, desks_of
from calm_eval.latency.generation import Generation, generation_from
from calm_eval.latency.measured import Measured
from calm_eval.latency.rounds import rounds
from calm_eval.latency.rows import RowWish
from calm_eval.runs.busy import load_average
from calm_eval.runs.watch import Progress
from calm_eval.systems.child import BatchBrokenError
from calm_eval.systems.outcome import SystemUnavailableError

PAUSE = 0.25
"""Seconds between generations: the threads of the one before have then stopped spinning."""


def measure(wishes: Sequence[RowWish], bench: Bench, progress: Progress) -> tuple[str, list[Measured]]:
    """The task, and what was measured of each row. A row that cannot be had or fails says so; the others go on.

    Raises InputError for what can be seen beforehand: an unknown system, parameter or task, the same row twice.
    """
    with desks_of(wishes, bench) as (task, desks):
        for process, counted in enumerate(bench.tier.blocks):
            if process:
                for desk in desks:
                    desk.child.close()
            _rounds(desks, 1, counted, process, bench, progress)
        for size in bench.batches:
            if size > 1:
                _rounds(desks, size, bench.tier.counted, 0, bench, progress)
        return task, [desk.measured for desk in desks]


def _rounds(desks: Sequence[Desk], batch: int, counted: int, process: int, bench: Bench, progress: Progress) -> None:
    """One process of each system: what is discarded, then what counts, in turns."""
    count = bench.tier.discarded + counted
    title = f"latency, process {process + 1} of {len(bench.tier.blocks)}" if batch == 1 else f"latency, batch {batch}"
    with progress.steps(title, count * len(desks)) as step:
        for number, desk in rounds(desks, count):
            measured = desk.measured
            if measured.failure is None and batch not in measured.batch_failures:
                try:
                    made = generate_once(desk, batch, 1000 * process + number, bench, process=process)
                    _keep(measured, made, number < bench.tier.discarded)
                except (BatchBrokenError, SystemUnavailableError) as error:
                    progress.say(f"{measured.row.name}: {error.name}: {error}")
                    if batch == 1:
                        measured.failure = error.name, str(error)
                    else:
                        measured.batch_failures[batch] = error.name, str(error)
            step.done()


def _keep(measured: Measured, generation: Generation, discard: bool) -> None:
    if generation.batch == 1:
        (measured.discarded if discard else measured.counted).append(generation)
    elif not discard:
        measured.batches.setdefault(generation.batch, []).append(generation)


def generate_once(desk: Desk, batch: int, seed: int, bench: Bench, *, process: int = 0) -> Generation:
    """One timed generation of a row. Raises BatchBrokenError and SystemUnavailableError."""
    row = desk.measured.row
    items = asked_items(desk.task, row.seconds, batch, bench.folder / "asked", bench.prompt)
    desk.child.load()
    time.sleep(PAUSE)
    load = load_average()
    answer = desk.child.time(items, seed, desk.task, row.sampling, trace=bench.trace)
    return generation_from(
        answer.told, batch=batch, cold=answer.cold, load=load, outside=answer.outside, process=process
    )
