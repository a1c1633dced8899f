"""One generation for its times alone, in the child. Standard library only, as all that runs there.

Audio is brought to the host, counted and dropped; nothing is written and nothing is said before the generation has
ended, so that what is timed is the system. Its spans are told after that.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from calm_eval.systems.protocol import Chunk, Done, Failure, Request, Span, Value


def run_timed(
    system: Any, requests: Sequence[Request], sampling: Mapping[str, Value], hooks: Any, ended: Callable[[], None]
) -> dict[str, Any]:
    """What happened when, as JSON values; nanoseconds count from the first call of `generate`.

    `end` is when the last sample was done, and `ended` is called then: spans that come after it cost no listener
    anything.
    `chunks`: [item, arrival on the host, frames]. `spans`: [name, step, begin or None, nanoseconds or None], of the
    first request's own marks and of the hooked modules. `ends`: why each item ended. `rate` in Hz, 0 without audio.
    """
    chunks: list[list[Any]] = []
    spans: list[Span] = []
    ends: dict[str, str] = {}
    failures: dict[str, list[str]] = {}
    rate = 0
    if hooks is not None:
        hooks.take([])
    end = 0
    began = time.perf_counter_ns()
    for event in system.generate(requests, sampling):
        if isinstance(event, Chunk):
            frames = _on_host(event.samples)
            chunks.append([event.item, time.perf_counter_ns() - began, frames])
            rate = int(event.sample_rate)
        elif isinstance(event, Span):
            # A step serves the whole batch: the first sample's share stands for all.
            if event.item == requests[0].item:
                spans.append(event)
        elif isinstance(event, Done):
            ends[event.item] = event.why
            end = time.perf_counter_ns() - began
            if len(ends) == len(requests):
                ended()
        elif isinstance(event, Failure):
            failures[event.item] = [event.name, event.text]
    batch = len(requests)
    told = [
        [
            span.name,
            span.step,
            None if span.start is None else span.start - began,
            None if span.nanoseconds is None else span.nanoseconds * batch,
        ]
        for span in spans
    ]
    if hooks is not None:
        told += [
            [name, step, start - began, spent]
            for name, step, start, spent in hooks.take([began + one[1] for one in chunks])
        ]
    return {
        "chunks": chunks,
        "spans": told,
        "ends": ends,
        "failures": failures,
        "rate": rate,
        "end": end,
        "peak_bytes": peak_bytes(),
        "device_peak_bytes": device_peak_bytes(),
    }


def _on_host(samples: Any) -> int:
    """Bring samples of one chunk to the host's memory and count them."""
    if getattr(samples, "is_cuda", False):
        samples = samples.cpu()
    shape = getattr(samples, "shape", None)
    return int(shape[-1]) if shape is not None else len(memoryview(samples))


def peak_bytes() -> int | None:
    """The most memory that this process has had, None where the system does not tell."""
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024


def device_peak_bytes() -> int | None:
    """The most memory that torch has held on the GPU, None where it holds none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    return int(torch.cuda.max_memory_allocated())
