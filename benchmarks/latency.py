"""The bars of step-by-step latency: what tracing costs, whether an outer clock agrees, and whether ratios repeat.

Measured on a quiet machine alone: the load average before each measurement stands in its folder. With `work`, the
folders `first`, `second`, `speech` and `music` are taken from there and made where they are not there yet.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from bar import Bar
from numpy.typing import NDArray

from calm_eval.latency.compare import Comparison
from calm_eval.latency.desks import Bench, desks_of
from calm_eval.latency.measure import generate_once
from calm_eval.latency.measured import Measurement, read_measurement
from calm_eval.latency.rows import RowWish
from calm_eval.latency.run import QUIET
from calm_eval.latency.summary import Summary, summarise
from calm_eval.latency.tier import Tier
from calm_eval.reports.latency.published_ratios import published_of
from calm_eval.reports.latency.report import compared
from calm_eval.runs.busy import load_average
from calm_eval.runs.order import default_threads
from calm_eval.systems.engine import Conditions

MINIS = ("mini-calm-speech", "mini-rq-speech")
PAIR = (
    "mini-calm-music", "mini-calm-music:steps=4", "mini-delay-music", "--against", "mini-rq-music",
    "--task", "music_continuation", "--tier", "full", "--duration", "10",
)  # fmt: skip
SCALES = {"speech": 0.4, "music": 0.2}
PAIRS = 40
SECONDS = 10.0
QUICK = 25
"""Percentile of generation times that is compared: other work only ever adds, and seldom to so many."""
LIMIT = 30 * 60.0


def bars(work: Path | None = None) -> list[Bar]:
    """Everything; about half an hour on two cores where `work` holds nothing."""
    with tempfile.TemporaryDirectory() as spare:
        folder = work or Path(spare)
        found = [bar for name in MINIS for bar in tracing(name, folder)]
        first, second = (made(folder / name, PAIR) for name in ("first", "second"))
        found += [*unattributed(first), *repeated(first, second)]
        took = 0.0
        for name, scale in SCALES.items():
            paper, seconds = paper_scale(folder / name, name, scale)
            took += seconds
            found.append(order_of_heads(paper, name))
        minutes = f"{took / 60:.1f} min"
        return [*found, Bar("comparisons at the papers' sizes, scaled, in all", "30 min", minutes, took <= LIMIT)]


def tracing(name: str, folder: Path) -> list[Bar]:
    """All spans on against none, quick generations by the system's clock; and a stopwatch of this process."""
    tier = Tier("bars", 1, PAIRS, 1, SECONDS, (0.5,))
    spent: dict[bool, list[float]] = {True: [], False: []}
    outside: list[float] = []
    bench = Bench(tier, Conditions(threads=default_threads()), folder / "tracing", "speech_continuation")
    quiet()
    with desks_of([RowWish(name)], bench) as (_, (desk,)):
        for number in range(PAIRS + 1):
            for traced in (True, False) if number % 2 == 0 else (False, True):
                made = generate_once(desk, 1, number, replace(bench, trace=traced))
                if number == 0:
                    continue
                spent[traced].append(float(made.end))
                if traced:
                    outside.append(float(made.outside or 0))
    ratio = quick_ratio(np.array(spent[True]), np.array(spent[False]))
    # Pairs are drawn again: both of one were made one after the other.
    drawn = np.random.default_rng(7).integers(0, PAIRS, size=(2000, PAIRS))
    again = [quick_ratio(np.array(spent[True])[one], np.array(spent[False])[one]) for one in drawn]
    low, high = (float(end) for end in np.percentile(again, [2.5, 97.5]))
    apart = float(np.median(outside) / np.median(spent[True])) - 1
    return [
        Bar(
            f"{name}: all spans on against off, {PAIRS} pairs of generations of {SECONDS:g} s, in turns, "
            "their lower quartiles",
            "1 % more",
            f"{100 * (ratio - 1):+.2f} % [{100 * (low - 1):+.2f}, {100 * (high - 1):+.2f}]",
            ratio <= 1.01,
        ),
        Bar(
            f"{name}: stopwatch outside the process against the reported end to end, medians",
            "1 %",
            f"{100 * apart:+.2f} %",
            abs(apart) <= 0.01,
        ),
    ]


def quick_ratio(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """The quick generations of one kind over those of the other."""
    return float(np.percentile(first, QUICK) / np.percentile(second, QUICK))


def made(folder: Path, words: Sequence[str]) -> Measurement:
    """A measurement in a folder, made by the command line where it is not there."""
    if not (folder / "latency.json").is_file():
        quiet()
        folder.parent.mkdir(parents=True, exist_ok=True)
        call = [sys.executable, "-m", "calm_eval.cli", "latency", *words, "--out", folder.name]
        subprocess.run(call, check=True, stdout=subprocess.DEVNULL, cwd=folder.parent)
    return read_measurement(folder / "latency.json")


def quiet(patience: float = 600.0) -> None:
    """Wait until nothing else is at work. Raises RuntimeError when that takes too long."""
    began = time.monotonic()
    while (load_average() or 0.0) >= QUIET:
        if time.monotonic() - began > patience:
            raise RuntimeError(f"the load average stayed above {QUIET}: latency is measured on a quiet machine")
        time.sleep(5)


def told(measurement: Measurement) -> tuple[list[Summary], list[Comparison]]:
    """What a report is made of."""
    summaries = [summarise(one) for one in measurement.rows if one.failure is None]
    return summaries, compared(measurement, summaries)


def unattributed(measurement: Measurement) -> list[Bar]:
    """Of each mini system's step, what no part covers."""
    rows = [(one.measured.row.name, one.parts["unattributed"].share) for one in told(measurement)[0]]
    return [Bar(f"{name}: unattributed", "2 %", f"{100 * share:.2f} %", share <= 0.02) for name, share in rows]


def repeated(first: Measurement, second: Measurement) -> list[Bar]:
    """Each ratio of medians inside the other measurement's interval, both on a quiet machine."""
    loads = [one.about["before"]["load"] for one in (first, second)]
    text = ", ".join(f"{load:.2f}" for load in loads)
    found = [Bar("load average before the two measurements", "under 0.3", text, max(loads) < QUIET)]
    for one, other in zip(told(first)[1], told(second)[1], strict=True):
        for name in ("head", "step", "end_to_end"):
            a, b = getattr(one, name), getattr(other, name)
            if a is None or b is None or a.interval is None or b.interval is None:
                continue
            inside = b.interval[0] <= a.value <= b.interval[1] and a.interval[0] <= b.value <= a.interval[1]
            shown = " and ".join(f"{x.value:.3f} [{x.interval[0]:.3f}, {x.interval[1]:.3f}]" for x in (a, b))
            title = f"{one.row.measured.row.name} beside {one.other.measured.row.name}, {name.replace('_', ' ')}"
            found.append(Bar(title, "each in the other's interval", shown, inside))
    return found


def paper_scale(folder: Path, name: str, scale: float) -> tuple[Measurement, float]:
    """A latency suite of the papers' sizes, scaled; and how long it took, or had taken."""
    words = (f"paper/latency_{name}", "--scale", str(scale), "--tier", "cpu")
    clock = folder / "seconds.txt"
    if not clock.is_file():
        quiet()
        began = time.monotonic()
        made(folder, words)
        clock.write_text(f"{time.monotonic() - began:.1f}\n", encoding="utf-8")
    return made(folder, words), float(clock.read_text(encoding="utf-8"))


def order_of_heads(measurement: Measurement, name: str) -> Bar:
    """Rows by the measured speed-up of their heads and by the published one."""
    about = measurement.about
    printed = {
        (row.system, row.variant): row.value
        for row in published_of(about["published_table"])
        if row.metric == "sampler speed-up"
    }
    stands_for = dict(zip((one.row.name for one in measurement.rows), about["published_rows"], strict=True))
    pairs = []
    for one in told(measurement)[1]:
        published = stands_for[one.row.measured.row.name]
        if one.head is not None and published is not None and tuple(published) in printed:
            pairs.append((one.head.value, printed[tuple(published)]))
    agree = sorted(pairs) == sorted(pairs, key=lambda pair: pair[::-1])
    shown = ", ".join(f"{ours:.2f} (published {theirs:g})" for ours, theirs in sorted(pairs))
    title = f"{name}, scale {about['scale']:g}: order of the heads' speed-ups"
    return Bar(title, "as published", shown, agree and bool(pairs))
