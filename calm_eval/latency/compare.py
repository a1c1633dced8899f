"""Two rows side by side: how many times faster, in the head, in a step and in all, and whether that adds up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calm_eval.latency.steps import Nanoseconds
from calm_eval.latency.summary import Summary, by_process
from calm_eval.stats.processes import ratio_of_medians

TOLERANCE = 0.10
"""What the head explains may differ from what is measured by this share."""


@dataclass(frozen=True)
class Speedup:
    """The other row's time over this row's, medians: above 1 this row is faster. `interval` over processes."""

    value: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Amdahl:
    """Does the head explain the whole? `share` of the head in the other row's model time, its speed-up by means.

    `predicted` = 1 / (1 - share + share / head) and `measured` are speed-ups of the model time: all of a step but the
    codec, which two systems need not share. `suspect`: they differ by more than `TOLERANCE`.
    """

    share: float
    head: float
    predicted: float
    measured: float

    @property
    def suspect(self) -> bool:
        """Whether the timing, or the claim of one backbone, is wrong."""
        return abs(self.predicted / self.measured - 1) > TOLERANCE


@dataclass(frozen=True)
class Comparison:
    """A row beside another. Times are per second of audio, so that frame rates may differ. None: no such part."""

    row: Summary
    other: Summary
    head: Speedup | None
    step: Speedup | None
    end_to_end: Speedup
    amdahl: Amdahl | None


def compare(row: Summary, other: Summary, *, same_backbone: bool) -> Comparison:
    """How many times faster `row` is than `other`; `same_backbone` asks for the self-check of the head's part, which
    needs one frame rate too.

    Raises ValueError when they do not compute in the same way (eager, compiled): such times are not compared.
    """
    modes = row.measured.row.mode, other.measured.row.mode
    if modes[0] != modes[1]:
        raise ValueError(f"{row.measured.row.name} is {modes[0]}, {other.measured.row.name} is {modes[1]}")
    # At another frame rate a backbone runs more or less often for the same audio: the head is not all that differs.
    same_rate = row.measured.row.frame_rate == other.measured.row.frame_rate
    both_framed = bool(row.measured.row.frame_rate and other.measured.row.frame_rate)
    stepped = both_framed and row.step is not None and other.step is not None
    heads = [by_process(one.generations, _part(one, "head")) for one in (row, other)]
    headed = both_framed and all(len(group) and np.median(group) > 0 for groups in heads for group in groups)
    return Comparison(
        row=row,
        other=other,
        head=_speedup(heads[0], heads[1], row, other) if headed else None,
        step=_speedup(row.groups, other.groups, row, other) if stepped else None,
        end_to_end=Speedup(*ratio_of_medians(_whole(other), _whole(row))),
        amdahl=_amdahl(row, other) if same_backbone and stepped and headed and same_rate else None,
    )


def _part(summary: Summary, name: str) -> list[Nanoseconds]:
    return [one.steady_part(name) for one in summary.steps]


def _whole(summary: Summary) -> list[Nanoseconds]:
    """Nanoseconds of each generation for a second of audio, by process."""
    made = summary.generations
    return by_process(made, [np.array([one.end / one.seconds], dtype=np.float64) for one in made])


def _speedup(mine: Sequence[Nanoseconds], theirs: Sequence[Nanoseconds], row: Summary, other: Summary) -> Speedup:
    """Median time per second of audio of `other` over that of `row`."""
    rates = row.measured.row.frame_rate, other.measured.row.frame_rate
    top = [times * rates[1] for times in theirs]
    bottom = [times * rates[0] for times in mine]
    return Speedup(*ratio_of_medians(top, bottom))


def _amdahl(row: Summary, other: Summary) -> Amdahl:
    mine, theirs = _model_time(row), _model_time(other)
    my_head, their_head = _mean_head(row), _mean_head(other)
    share, head = their_head / theirs, their_head / my_head
    return Amdahl(share, head, 1 / (1 - share + share / head), theirs / mine)


def _model_time(summary: Summary) -> float:
    """Mean time of a step without the codec, per second of audio, in nanoseconds."""
    return summary.measured.row.frame_rate * _mean([one.steady - one.steady_part("codec") for one in summary.steps])


def _mean_head(summary: Summary) -> float:
    return summary.measured.row.frame_rate * _mean(_part(summary, "head"))


def _mean(groups: Sequence[Nanoseconds]) -> float:
    return float(np.concatenate(groups).mean())
