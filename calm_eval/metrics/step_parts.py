"""Where the time of a step goes, from the spans of the samples themselves; `calm-eval latency` measures it properly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse
from calm_eval.selftest.check import Check
from calm_eval.systems.protocol import PARTS

STEP_PARTS = tuple(part for part in PARTS if part != "prefill")


def part_times(spans: Sequence[tuple[str, int, int]]) -> tuple[dict[str, int], int]:
    """Nanoseconds of each part over all steps, and how many steps there are, from (name, step, nanoseconds).

    Prefill is no part of a step. Steps are counted by the part that has the most of them: the last frame of a
    generation needs no backbone.
    """
    times = {part: sum(spent for name, _, spent in spans if name == part) for part in STEP_PARTS}
    steps = max((len({step for name, step, _ in spans if name == part}) for part in STEP_PARTS), default=0)
    return times, steps


@dataclass(frozen=True)
class StepParts:
    """Time of a step, or the head's share of it. A system that marks no parts has no value."""

    spec: MetricSpec
    quantity: Literal["step", "head"]

    def measure(self, view: SampleView) -> ItemValue:
        """Marked time over steps, or the head's time over the marked time."""
        if view.failure is not None:
            return refuse(view.failure)
        if view.generate_seconds is None:
            return refuse("not-timed")
        times, steps = part_times(view.spans)
        total = sum(times.values())
        if not total:
            return refuse("no-spans")
        if self.quantity == "head":
            return ItemValue(times["head"] / 1e9, total / 1e9)
        return ItemValue(total / 1e9, float(steps))


STEP_TIME = StepParts(
    MetricSpec(
        name="step_time",
        title="Step",
        unit="ms",
        scale=1000.0,
        higher_is_better=False,
        kind="ratio",
        version=1,
        low=0.0,
        timing=True,
        definition="marked time (backbone, head, codec, other) over steps, all items together; prefill is in none",
    ),
    "step",
)
HEAD_SHARE = StepParts(
    MetricSpec(
        name="head_share",
        title="Head",
        unit="% of step",
        scale=100.0,
        higher_is_better=False,
        kind="ratio",
        version=1,
        low=0.0,
        high=1.0,
        timing=True,
        definition="time of the head over the marked time of all steps, all items together",
    ),
    "head",
)

_SPANS = (("prefill", 0, 9), ("head", 0, 2), ("backbone", 0, 6), ("head", 1, 2), ("codec", 1, 2))
CHECKS = (
    Check("12 ns of parts in two steps", lambda: sum(part_times(_SPANS)[0].values()) / part_times(_SPANS)[1], 6.0, 0.0),
)
