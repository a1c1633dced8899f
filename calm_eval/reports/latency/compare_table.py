"""How many times faster, beside what papers have printed, and whether the head explains it."""

from __future__ import annotations

from collections.abc import Sequence

from calm_eval.latency.compare import TOLERANCE, Comparison
from calm_eval.reports.latency.cells import NONE, head_share, name, times
from calm_eval.reports.markdown import table


def compare_table(comparisons: Sequence[Comparison]) -> str:
    """Speed-ups of medians, per second of audio; the share of the head in a step of each."""
    header = ["System", "beside", "Head", "Step", "End to end", "Head's share", "beside", "Head alone would give"]
    return table(header, [_row(one) for one in comparisons])


def _row(one: Comparison) -> list[str]:
    return [
        name(one.row),
        name(one.other),
        times(one.head),
        times(one.step),
        times(one.end_to_end),
        head_share(one.row),
        head_share(one.other),
        _explained(one),
    ]


def _explained(one: Comparison) -> str:
    if one.amdahl is None:
        return NONE
    told = f"x {one.amdahl.predicted:.2f}, measured x {one.amdahl.measured:.2f}"
    return f"**timing suspect**: {told}" if one.amdahl.suspect else told


def suspect_lines(comparisons: Sequence[Comparison]) -> list[str]:
    """A warning for each pair whose timing does not add up."""
    return [
        f"`amdahl` {name(one.row)} beside {name(one.other)}: the head explains x {one.amdahl.predicted:.2f} of the "
        f"model time, x {one.amdahl.measured:.2f} was measured, more than {100 * TOLERANCE:.0f} % apart. Either "
        "the two do not share a backbone or the timing is wrong."
        for one in comparisons
        if one.amdahl is not None and one.amdahl.suspect
    ]
