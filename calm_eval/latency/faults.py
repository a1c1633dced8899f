"""What can be wrong with a timing, seen in the timing itself. Each fault has a name and is told; none is corrected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from calm_eval.latency.generation import Generation
from calm_eval.latency.steps import Steps
from calm_eval.systems.protocol import STEP

OVERLAP_NS = 2_000
"""Parts may overlap by this much: CUDA events are 0.5 us apart at best."""
WALL_SHARE = 0.05
"""Time outside all parts, or outside all steps, beyond this share of the whole, is told."""
EXCESS = 0.01
"""Spans may exceed the wall time that holds them by this share."""
APART, APART_NS = 0.02, 50_000_000
"""The harness's clock may differ by this share, and by this much for the pipe and the start of the request."""

FAULTS = {
    "no-steps": "nothing came in pieces and no step was marked: there is a whole time and no step time",
    "span-unended": "a span began and never ended",
    "span-overlap": "two parts were timed at once: their sum is more than the time that passed",
    "spans-exceed-wall": "the spans take longer than the generation that holds them",
    "step-without-span": "a step has no part while others have: its time is unattributed",
    "steps-miss-audio": "fewer or more steps than frames of audio: the times are not those of the whole generation",
    "time-outside-steps": "the steps do not add up to the whole: time passed between or after them",
    "unattributed": "much of the step time is in no part",
    "clocks-disagree": "the harness's own clock saw another time than the system's process told",
}
"""Every named warning about one generation."""


@dataclass(frozen=True)
class Fault:
    """A named warning with its figure."""

    name: str
    text: str


def faults(generation: Generation, steps: Steps, frame_rate: float) -> Iterator[Fault]:
    """What is suspect in one generation; `frame_rate` in Hz, 0 for a system without frames."""
    if not len(steps.walls):
        yield Fault("no-steps", FAULTS["no-steps"])
    unended = [span for span in generation.spans if span.nanoseconds is None]
    if unended:
        yield Fault("span-unended", f"'{unended[0].name}' of step {unended[0].step} began and never ended")
    yield from _overlap(generation)
    outside = generation.outside
    if outside is not None and abs(outside - generation.end) > APART * generation.end + APART_NS:
        text = f"{generation.end / 1e9:.3f} s told, {outside / 1e9:.3f} s by the harness's clock"
        yield Fault("clocks-disagree", text)
    parts = [span for span in generation.spans if span.name != STEP]
    spent = sum(span.nanoseconds or 0 for span in parts)
    if spent > (1 + EXCESS) * generation.end:
        yield Fault(
            "spans-exceed-wall", f"spans of {spent / 1e9:.3f} s in a generation of {generation.end / 1e9:.3f} s"
        )
    if len(steps.walls):
        yield from _steps(generation, steps, frame_rate, bool(parts))


def _overlap(generation: Generation) -> Iterator[Fault]:
    timed = sorted(
        (span.start, span.start + span.nanoseconds, span.name, span.step)
        for span in generation.spans
        if span.name != STEP and span.start is not None and span.nanoseconds is not None
    )
    reached, holder = -1, ""
    for start, end, name, step in timed:
        if start < reached - OVERLAP_NS:
            yield Fault(
                "span-overlap", f"'{name}' of step {step} began {(reached - start) / 1e6:.3f} ms before {holder}"
            )
            return
        if end > reached:
            reached, holder = end, f"'{name}' of step {step} ended"


def _steps(generation: Generation, steps: Steps, frame_rate: float, marked: bool) -> Iterator[Fault]:
    total = float(steps.walls.sum())
    if total > (1 + EXCESS) * generation.end:
        yield Fault(
            "spans-exceed-wall", f"steps of {total / 1e9:.3f} s in a generation of {generation.end / 1e9:.3f} s"
        )
    elif total < (1 - WALL_SHARE) * generation.end:
        yield Fault("time-outside-steps", f"{100 * (1 - total / generation.end):.1f} % of the time is in no step")
    seconds = generation.seconds / generation.batch
    if steps.source == "marks" and frame_rate:
        expected = seconds * frame_rate
        if abs(len(steps.walls) - expected) > max(2.0, 0.02 * expected):
            text = f"{len(steps.walls)} steps, {expected:.0f} frames in {seconds:.2f} s of audio"
            yield Fault("steps-miss-audio", text)
    if not marked or len(steps.steady) == 0:
        return
    inside = sum((steps.steady_part(name) for name in steps.parts), np.zeros(len(steps.steady)))
    bare = np.flatnonzero(inside <= 0)
    if len(bare) and len(bare) < len(inside):
        yield Fault("step-without-span", f"{len(bare)} of {len(inside)} steps have no part, the first is {bare[0] + 1}")
    share = float(steps.unattributed[1:].sum() / steps.steady.sum())
    if share > WALL_SHARE:
        yield Fault("unattributed", f"{100 * share:.1f} % of the step time is in no part")
