"""Spans of a PyTorch model that cannot be edited: its modules, by path from the system, timed by forward hooks.

Runs in the child. A module on a GPU is timed by pairs of CUDA events that are read once, when the spans are taken.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Tuple  # noqa: UP035 - the child may run on Python 3.9

HookedSpan = Tuple[str, int, int, Optional[int]]  # noqa: UP006, UP045
"""Name, step, begin and duration in nanoseconds; None for what did not end."""


class Hooks:
    """`modules` maps a span's name to a path such as `model.layers.0`, from the system object.

    Raises AttributeError naming the path where it leads to nothing, TypeError where that is no PyTorch module.
    """

    def __init__(self, system: Any, modules: Mapping[str, str]) -> None:
        self._open: list[tuple[str, Any]] = []
        self._spans: list[tuple[str, Any, Any]] = []
        self._origin: tuple[int, Any] | None = None
        for name, path in modules.items():
            module = _follow(system, path)
            if not hasattr(module, "register_forward_pre_hook"):
                raise TypeError(f"spans: '{path}' is {type(module).__name__}, not a PyTorch module")
            module.register_forward_pre_hook(lambda one, _, name=name: self._begin(name, one))
            module.register_forward_hook(lambda one, _, __, name=name: self._end(name, one))

    def _begin(self, name: str, module: Any) -> None:
        self._open.append((name, self._now(module)))

    def _end(self, name: str, module: Any) -> None:
        # A module that raised has left its beginning behind; the last one of this name is ours.
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == name:
                _, began = self._open.pop(place)
                self._spans.append((name, began, self._now(module)))
                return

    def _now(self, module: Any) -> Any:
        first = next(iter(module.parameters()), None)
        if first is None or not first.is_cuda:
            return time.perf_counter_ns()
        import torch

        if self._origin is None:
            torch.cuda.synchronize()
            origin = torch.cuda.Event(enable_timing=True)
            origin.record()
            self._origin = time.perf_counter_ns(), origin
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def take(self, arrivals: Sequence[int]) -> list[HookedSpan]:
        """All spans since the last call. A span's step is how many frames had arrived (`arrivals`) when it began."""
        if self._origin is not None:
            import torch

            torch.cuda.synchronize()
        spans: list[HookedSpan] = []
        for name, began, ended in self._spans:
            start = self._nanoseconds(began)
            spans.append((name, bisect_left(arrivals, start), start, self._nanoseconds(ended) - start))
        for name, began in self._open:
            start = self._nanoseconds(began)
            spans.append((name, bisect_left(arrivals, start), start, None))
        self._spans, self._open, self._origin = [], [], None
        return spans

    def _nanoseconds(self, moment: Any) -> int:
        if isinstance(moment, int):
            return moment
        assert self._origin is not None
        clock, origin = self._origin
        return clock + round(1e6 * float(origin.elapsed_time(moment)))


def _follow(system: Any, path: str) -> Any:
    found = system
    for part in path.split("."):
        try:
            found = found[int(part)] if part.lstrip("-").isdigit() else getattr(found, part)
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise AttributeError(f"spans: '{path}' leads to nothing at '{part}' of {type(found).__name__}") from error
    return found
