"""One timed generation: when audio arrived, what each part took, and whether that can be true."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from calm_eval.systems.child import BatchBrokenError
from calm_eval.systems.protocol import PARTS, STEP


@dataclass(frozen=True)
class PartSpan:
    """Time in one part of one step, in nanoseconds; None where it is not known when it began, or it never ended."""

    name: str
    step: int
    start: int | None
    nanoseconds: int | None


@dataclass(frozen=True)
class Generation:
    """Nanoseconds from the call of `generate`; `end` is when the last sample was done.

    `arrivals` are those of the first item's chunks on the host, `seconds` the audio of all `batch` items. `cold`: the
    first of its process. `load`: the machine's load average just before, None where it does not tell. `outside` is the
    whole by the harness's own clock, from request to end; `process` counts the system's processes.
    """

    end: int
    arrivals: tuple[int, ...]
    spans: tuple[PartSpan, ...]
    seconds: float
    batch: int = 1
    cold: bool = False
    load: float | None = None
    outside: int | None = None
    process: int = 0
    peak_bytes: int | None = None
    device_peak_bytes: int | None = None

    @property
    def first_audio(self) -> int:
        """When the first samples were on the host."""
        return self.arrivals[0]

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        told = asdict(self)
        told["spans"] = [[span.name, span.step, span.start, span.nanoseconds] for span in self.spans]
        return told

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Generation:
        """Read back what `json` gave."""
        spans = tuple(PartSpan(*one) for one in told["spans"])
        return cls(**{**told, "arrivals": tuple(told["arrivals"]), "spans": spans})


def generation_from(
    told: Mapping[str, Any],
    *,
    batch: int,
    cold: bool,
    load: float | None,
    outside: int | None = None,
    process: int = 0,
) -> Generation:
    """What `run_timed` told. Raises BatchBrokenError with the system's own failure, or `empty`, `unfinished`,
    `clock-backwards` or `unknown-span`.
    """
    for item, (name, text) in told["failures"].items():
        raise BatchBrokenError(name, f"{item}: {text}")
    if not any(frames for _, _, frames in told["chunks"]) or told["rate"] <= 0:
        raise BatchBrokenError("empty", "it made no audio")
    if len(told["ends"]) < batch:
        raise BatchBrokenError("unfinished", "it ended without saying that its samples were done")
    first = told["chunks"][0][0]
    arrivals = tuple(at for item, at, frames in told["chunks"] if item == first and frames)
    spans = tuple(PartSpan(*one) for one in told["spans"])
    unknown = sorted({span.name for span in spans} - {*PARTS, STEP})
    if unknown:
        raise BatchBrokenError("unknown-span", f"a span named '{unknown[0]}'; known: {', '.join((*PARTS, STEP))}")
    times = (0, *arrivals, told["end"])
    negative = [span for span in spans if span.nanoseconds is not None and span.nanoseconds < 0]
    if negative or any(after < before for before, after in itertools.pairwise(times)):
        what = f"span '{negative[0].name}' of step {negative[0].step}" if negative else "audio"
        raise BatchBrokenError("clock-backwards", f"{what} ended before it began")
    return Generation(
        end=told["end"],
        arrivals=arrivals,
        spans=spans,
        seconds=sum(frames for _, _, frames in told["chunks"]) / told["rate"],
        batch=batch,
        cold=cold,
        load=load,
        outside=outside,
        process=process,
        peak_bytes=told["peak_bytes"],
        device_peak_bytes=told["device_peak_bytes"],
    )
