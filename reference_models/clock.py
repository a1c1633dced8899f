"""Times the parts of a step: by the CPU's clock, or by pairs of CUDA events that are read once at the end."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import torch


@dataclass(frozen=True)
class Timed:
    """One part (`prefill`, `backbone`, `head`, `codec`, `other`) of one step, or a whole `step`, in nanoseconds.

    `start` is on `time.perf_counter_ns`.
    """

    name: str
    step: int
    nanoseconds: int
    start: int


class _Part:
    """A part being timed: noted when it ends well. A class, since a generator costs three times as much a step."""

    __slots__ = ("_began", "_clock", "_name", "_step")

    def __init__(self, clock: SpanClock, name: str, step: int) -> None:
        self._clock, self._name, self._step = clock, name, step

    def __enter__(self) -> None:
        self._began = self._clock.moment()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._clock.since(self._name, self._step, self._began)


class SpanClock:
    """Use as `with clock(name, step): ...`; `take` gives everything at the end, so that a step pays for two readings.

    A whole step goes from `moment()` to `since(name, step, moment)`: it holds the places where a generator hands over.
    """

    def __init__(self) -> None:
        self._noted: list[tuple[str, int, Any, Any]] = []

    def __call__(self, name: str, step: int) -> AbstractContextManager[None]:
        """Time what runs inside."""
        return _Part(self, name, step)

    def moment(self) -> Any:
        """Now, to be handed to `since`."""
        return time.perf_counter_ns()

    def since(self, name: str, step: int, moment: Any) -> None:
        """Note what has passed since a moment."""
        self._noted.append((name, step, moment, self.moment()))

    def take(self) -> list[Timed]:
        """Everything that was noted since the last call."""
        noted, self._noted = self._noted, []
        return [Timed(name, step, end - begin, begin) for name, step, begin, end in noted]


class NoClock(SpanClock):
    """Times nothing."""

    def __call__(self, name: str, step: int) -> AbstractContextManager[None]:
        """Let it run."""
        return nullcontext()

    def since(self, name: str, step: int, moment: Any) -> None:
        """Note nothing."""

    def moment(self) -> Any:
        """No moment."""
        return None


class CudaSpanClock(SpanClock):
    """The same on a GPU: events on the current stream, read when the device has done all its work."""

    def __init__(self) -> None:
        super().__init__()
        torch.cuda.synchronize()
        self._origin = self.moment()
        self._origin_ns = time.perf_counter_ns()

    def moment(self) -> Any:
        """An event on the current stream."""
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def take(self) -> list[Timed]:
        """Wait for the device, then everything that was noted since the last call."""
        torch.cuda.synchronize()
        noted, self._noted = self._noted, []
        return [
            Timed(name, step, round(1e6 * begin.elapsed_time(end)), self._on_cpu(begin))
            for name, step, begin, end in noted
        ]

    def _on_cpu(self, event: Any) -> int:
        return self._origin_ns + round(1e6 * float(self._origin.elapsed_time(event)))
