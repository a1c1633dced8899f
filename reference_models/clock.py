"""Times the parts of a step: by the CPU's clock, or by pairs of CUDA events that are read once at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
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


class SpanClock:
    """Use as `with clock(name, step): ...`; `take` gives what was timed since the last call.

    A whole step goes from `moment()` to `since(name, step, moment)`: it holds the places where a generator hands over.
    """

    def __init__(self) -> None:
        self._timed: list[Timed] = []

    def __call__(self, name: str, step: int) -> AbstractContextManager[None]:
        """Time what runs inside."""
        return self._inside(name, step)

    @contextmanager
    def _inside(self, name: str, step: int) -> Iterator[None]:
        began = self.moment()
        yield
        self.since(name, step, began)

    def moment(self) -> Any:
        """Now, to be handed to `since`."""
        return time.perf_counter_ns()

    def since(self, name: str, step: int, moment: Any) -> None:
        """Note what has passed since a moment."""
        self._timed.append(Timed(name, step, time.perf_counter_ns() - moment, moment))

    def take(self, last: bool = False) -> list[Timed]:
        """What was timed since the last call. `last` says that nothing follows."""
        timed, self._timed = self._timed, []
        return timed


class NoClock(SpanClock):
    """Times nothing."""

    def __call__(self, name: str, step: int) -> AbstractContextManager[None]:
        """Let it run."""
        return nullcontext()

    def moment(self) -> Any:
        """No moment."""
        return None

    def since(self, name: str, step: int, moment: Any) -> None:
        """Note nothing."""


class CudaSpanClock(SpanClock):
    """The same on a GPU, without waiting in between: all spans come with the last call of `take`."""

    def __init__(self) -> None:
        super().__init__()
        self._events: list[tuple[str, int, Any, Any]] = []
        torch.cuda.synchronize()
        self._origin = self.moment()
        self._origin_ns = time.perf_counter_ns()

    def moment(self) -> Any:
        """An event on the current stream."""
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def since(self, name: str, step: int, moment: Any) -> None:
        """Record a second event."""
        self._events.append((name, step, moment, self.moment()))

    def take(self, last: bool = False) -> list[Timed]:
        """Nothing, until the last call waits for the device."""
        if not last:
            return []
        torch.cuda.synchronize()
        timed = [
            Timed(name, step, round(1e6 * begin.elapsed_time(end)), self._on_cpu(begin))
            for name, step, begin, end in self._events
        ]
        self._events = []
        return timed

    def _on_cpu(self, event: Any) -> int:
        return self._origin_ns + round(1e6 * float(self._origin.elapsed_time(event)))
