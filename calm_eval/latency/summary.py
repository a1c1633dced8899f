"""The quantities of one row, from its generations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from calm_eval.latency.faults import Fault, faults
from calm_eval.latency.generation import Generation
from calm_eval.latency.measured import Measured
from calm_eval.latency.percentile import Percentile, percentile
from calm_eval.latency.player import Playback, miss_rate, play
from calm_eval.latency.slope import slope
from calm_eval.latency.steps import Nanoseconds, Steps, steps_of
from calm_eval.stats.processes import median_interval
from calm_eval.systems.protocol import PARTS

BUFFERS = (1, 2, 4, 8)
"""Frames that a simulated player waits for before it starts."""
SHARES = (0.5, 0.9, 0.95, 0.99)
COLUMNS = (*PARTS, "unattributed")


@dataclass(frozen=True)
class Median:
    """A median with its interval over processes, in nanoseconds."""

    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class PartTime:
    """One part of all steps but the first: mean and percentiles in nanoseconds, and its share of the step time."""

    mean: float
    share: float
    percentiles: Mapping[float, Percentile]


@dataclass(frozen=True)
class Summary:
    """All quantities of a row. Times in nanoseconds; None where the row has no steps, frames or such a figure.

    `groups` are the steps of each process, but for each generation's first. `real_time_factor` is compute over audio
    (below 1: faster than real time), median over generations. `first_audio_cold` is the median over processes.
    `throughput` is seconds of audio per second, by batch size. `faults` counts generations by the fault they show.
    """

    measured: Measured
    steps: Sequence[Steps]
    groups: Sequence[Nanoseconds]
    step: Median | None
    percentiles: Mapping[float, Percentile]
    parts: Mapping[str, PartTime]
    slope: float | None
    first_audio_cold: float | None
    first_audio: Median
    end_to_end: Median
    real_time_factor: float
    missed: float | None
    playback: Mapping[int, Playback]
    throughput: Mapping[int, float]
    peak_bytes: int | None
    device_peak_bytes: int | None
    faults: Mapping[str, tuple[int, str]]

    @property
    def generations(self) -> Sequence[Generation]:
        """Those that count."""
        return self.measured.counted

    @property
    def source(self) -> str:
        """What a step is (`Steps`)."""
        return self.steps[0].source

    @property
    def walls(self) -> list[Nanoseconds]:
        """The steps of each generation but its first."""
        return [one.steady for one in self.steps]

    def lacking_generations(self, share: float) -> int:
        """How many more generations this percentile of steps needs; 0 where it has enough."""
        one = self.percentiles.get(share)
        each = np.mean([len(walls) for walls in self.walls]) if self.walls else 0.0
        return 0 if one is None or not one.lacking or not each else int(np.ceil(one.lacking / each))


def by_process(generations: Sequence[Generation], arrays: Sequence[Nanoseconds]) -> list[Nanoseconds]:
    """One array a process, from one a generation."""
    processes = dict.fromkeys(one.process for one in generations)
    pairs = list(zip(generations, arrays, strict=True))
    return [np.concatenate([array for one, array in pairs if one.process == process]) for process in processes]


def summarise(measured: Measured) -> Summary:
    """The quantities of a row that did not fail. Raises ValueError for one without a counted generation."""
    made, row = measured.counted, measured.row
    if not made:
        raise ValueError(f"{row.name}: no counted generation")
    steps = [steps_of(one) for one in made]
    walls = [one.steady for one in steps]
    groups = by_process(made, walls)
    pooled = np.concatenate(walls)
    period = 1e9 / row.frame_rate if row.frame_rate else None
    sloped = [found for found in map(slope, walls) if found is not None]
    framed = period is not None and len(pooled) > 0
    found: Counter[str] = Counter()
    texts: dict[str, str] = {}
    for generation, one in zip(made, steps, strict=True):
        told: dict[str, Fault] = {fault.name: fault for fault in faults(generation, one, row.frame_rate)}
        found.update(told.keys())
        texts.update({name: fault.text for name, fault in told.items() if name not in texts})
    cold = [one for one in [*measured.discarded, *made] if one.cold]
    return Summary(
        measured=measured,
        steps=steps,
        groups=groups,
        step=Median(*median_interval(groups)) if len(pooled) else None,
        percentiles={share: percentile(pooled, share) for share in SHARES} if len(pooled) else {},
        parts=_parts(steps, pooled),
        slope=float(np.median(sloped)) if sloped else None,
        first_audio_cold=float(np.median([one.first_audio for one in cold])) if cold else None,
        first_audio=_over_processes(made, [one.first_audio for one in made]),
        end_to_end=_over_processes(made, [one.end for one in made]),
        real_time_factor=float(np.median([one.end / 1e9 / one.seconds for one in made])),
        missed=miss_rate(pooled, period) if framed and period is not None else None,
        playback=_playback(steps, period) if framed and period is not None else {},
        throughput={
            size: float(np.median([one.seconds / (one.end / 1e9) for one in several]))
            for size, several in {1: made, **measured.batches}.items()
            if several
        },
        peak_bytes=max((one.peak_bytes for one in made if one.peak_bytes is not None), default=None),
        device_peak_bytes=max(
            (one.device_peak_bytes for one in made if one.device_peak_bytes is not None), default=None
        ),
        faults={name: (count, texts[name]) for name, count in found.items()},
    )


def _over_processes(made: Sequence[Generation], values: Sequence[int]) -> Median:
    each = [np.array([value], dtype=np.float64) for value in values]
    return Median(*median_interval(by_process(made, each)))


def _parts(steps: Sequence[Steps], pooled: Nanoseconds) -> dict[str, PartTime]:
    marked = [name for name in PARTS if any(name in one.parts and one.steady_part(name).any() for one in steps)]
    if not marked or not len(pooled):
        return {}
    found = {}
    for name in (*marked, "unattributed"):
        times = np.concatenate([one.steady_part(name) for one in steps])
        told = {share: percentile(times, share) for share in SHARES}
        found[name] = PartTime(float(times.mean()), float(times.sum() / pooled.sum()), told)
    return found


def _playback(steps: Sequence[Steps], period: float) -> dict[int, Playback]:
    """Stalls in all generations and mean time stalled, by buffer; a frame is there when its step ends."""
    found = {}
    for buffer in BUFFERS:
        each = [play(np.cumsum(one.walls), period, buffer) for one in steps]
        stalls = sum(one.stalls for one in each)
        found[buffer] = Playback(stalls, sum(one.stalled for one in each) / len(each))
    return found
