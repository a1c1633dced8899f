"""Times the parts of a step: by the CPU's clock, or by pairs of CUDA events that are read once at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Timed:
    """One part (`prefill`, `backbone`, `head`, `codec`) of one step, in nanoseconds."""

    name: str
    step: int
    nanoseconds: int


class SpanClock:
    """Use as `with clock(name, step): ...`; `take` gives what was timed since the last call."""

    def __init__(self) -> None:
        self._timed: list[Timed] = []

    @contextmanager
    def __call__(self, name: str, step: int) -> Iterator[None]:
        """Time what runs inside."""
        began = time.perf_counter_ns()
        yield
        self._timed.append(Timed(name, step, time.perf_counter_ns() - began))

    def take(self, last: bool = False) -> list[Timed]:
        """What was timed since the last call. `last` says that nothing follows."""
        timed, self._timed = self._timed, []
        return timed


class CudaSpanClock(SpanClock):
    """The same on a GPU, without waiting in between: all spans come with the last call of `take`."""

    def __init__(self) -> None:
        super().__init__()
        self._events: list[tuple[str, int, Any, Any]] = []

    @contextmanager
    def __call__(self, name: str, step: int) -> Iterator[None]:
        """Record an event before and after."""
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        yield
        end.record()
        self._events.append((name, step, begin, end))

    def take(self, last: bool = False) -> list[Timed]:
        """Nothing, until the last call waits for the device."""
        if not last:
            return []
        torch.cuda.synchronize()
        milliseconds = [(name, step, begin.elapsed_time(end)) for name, step, begin, end in self._events]
        self._events = []
        return [Timed(name, step, round(1e6 * spent)) for name, step, spent in milliseconds]
