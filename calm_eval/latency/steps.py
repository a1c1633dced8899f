"""From spans to steps: what each frame took, and which part of it took what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from calm_eval.latency.generation import Generation
from calm_eval.systems.protocol import PARTS, STEP

Nanoseconds = NDArray[np.float64]


@dataclass(frozen=True)
class Steps:
    """The steps of one generation, in order, shape [steps], in nanoseconds.

    `source` says what a step is: `marks` (the system marked whole steps) or `arrivals` (from one chunk of audio on the
    host to the next). The first step also holds what comes before it: text, prompt, prefill. `parts` holds the time of
    each marked part within each step; what was marked between steps, or cannot be placed, is in none.
    """

    source: Literal["marks", "arrivals"]
    starts: Nanoseconds
    walls: Nanoseconds
    parts: Mapping[str, Nanoseconds]

    @property
    def steady(self) -> Nanoseconds:
        """All steps but the first, which is the time to first audio and told as such."""
        return self.walls[1:]

    @property
    def unattributed(self) -> Nanoseconds:
        """What no part covers, [steps]; below 0 where parts overlap."""
        return np.asarray(self.walls - sum(self.parts.values(), np.zeros(len(self.walls))))

    def steady_part(self, name: str) -> Nanoseconds:
        """A part's time in all steps but the first; zeros for a part that is not marked. `unattributed` is one too."""
        if name == "unattributed":
            return self.unattributed[1:]
        return self.parts[name][1:] if name in self.parts else np.zeros(len(self.steady))


def steps_of(generation: Generation) -> Steps:
    """The steps of a generation, none when nothing arrived in pieces and none was marked."""
    marks = sorted(
        (span.start, span.nanoseconds)
        for span in generation.spans
        if span.name == STEP and span.start is not None and span.nanoseconds is not None
    )
    source: Literal["marks", "arrivals"] = "marks" if marks else "arrivals"
    if marks:
        starts = np.array([start for start, _ in marks], dtype=np.float64)
        walls = np.array([spent for _, spent in marks], dtype=np.float64)
    elif len(generation.arrivals) > 1:
        edges = np.array((0, *generation.arrivals), dtype=np.float64)
        starts, walls = edges[:-1], np.diff(edges)
    else:
        starts = walls = np.zeros(0)
    return Steps(source, starts, walls, _placed(generation, starts, walls))


def _placed(generation: Generation, starts: Nanoseconds, walls: Nanoseconds) -> dict[str, Nanoseconds]:
    """Each part's time by the step in which it began; by its own step number where its beginning is not known."""
    named = [name for name in PARTS if any(span.name == name for span in generation.spans)]
    parts = {name: np.zeros(len(starts)) for name in named}
    for span in generation.spans:
        if span.name == STEP or span.nanoseconds is None:
            continue
        place = span.step if span.start is None else int(np.searchsorted(starts, span.start, side="right")) - 1
        if 0 <= place < len(starts) and (span.start is None or span.start < starts[place] + walls[place]):
            parts[span.name][place] += span.nanoseconds
    return parts
