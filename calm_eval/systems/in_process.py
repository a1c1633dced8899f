"""A Python system in this process: for debugging with `--in-process`. No time limit, no protection from a crash."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from calm_eval.audio.clip import Clip
from calm_eval.audio.read import AudioError, read_sound
from calm_eval.data.item import Item
from calm_eval.errors import UnavailableError
from calm_eval.registry import import_target
from calm_eval.systems.collect import Collector
from calm_eval.systems.engine import Conditions
from calm_eval.systems.outcome import Outcome, SystemUnavailableError
from calm_eval.systems.protocol import Audio, Chunk, Done, Failure, Request, Span, System, SystemInfo, Value


class InProcessEngine:
    """Calls the system directly; what it raises reaches the user as it is, with its traceback."""

    def __init__(self, target: str, options: Mapping[str, Value], conditions: Conditions, folder: Path | None) -> None:
        if folder is not None:
            # As in a child: a module beside the system file is found.
            sys.path.insert(0, str(folder.resolve()))
        self.target = target
        self.options = dict(options)
        self.conditions = conditions
        try:
            self._system: System = import_target(target)(**self.options)
        except UnavailableError as error:
            raise SystemUnavailableError("import-error", str(error)) from error
        self._loaded = False

    @property
    def info(self) -> SystemInfo:
        """What the system declares."""
        return self._system.info

    @property
    def identity(self) -> Mapping[str, Any]:
        """As in a child, except that a system without a version is known by its target alone: debugging only."""
        info = self.info
        return {
            "python": self.target,
            "options": self.options,
            "weights": dict(info.weights),
            "config": dict(info.config),
            "version": info.version if info.version is not None else "in-process",
        }

    def sample_identity(self, item: Item, fingerprint: str) -> str:
        """The system's fingerprint."""
        return fingerprint

    def head_evaluations(self, samplings: Sequence[Mapping[str, Value]]) -> list[float | None]:
        """Asked of the system."""
        measure = getattr(self._system, "head_evaluations_per_second", None)
        return [measure(sampling) if measure else None for sampling in samplings]

    def generate(self, items: Sequence[Item], seed: int, task: str, sampling: Mapping[str, Value]) -> Iterator[Outcome]:
        """One item at a time."""
        if not self._loaded:
            self._system.load(self.conditions.device, self.conditions.dtype, self.conditions.threads)
            self._loaded = True
        for item in items:
            prompt = None
            if item.prompt is not None:
                try:
                    prompt = _audio(read_sound(item.prompt.path))
                except AudioError as error:
                    yield Outcome(item.id, seed, failure=f"prompt-{error.name}", text=str(error))
                    continue
            collector = Collector([item.id], seed, cold=False)
            began = time.perf_counter_ns()
            request = Request(item.id, seed, task, item.text, prompt, item.duration)
            for event in self._system.generate([request], sampling):
                ns = time.perf_counter_ns() - began
                if isinstance(event, Chunk):
                    samples = event.samples.detach().cpu() if hasattr(event.samples, "detach") else event.samples
                    samples = np.atleast_2d(np.asarray(samples, dtype=np.float32))
                    collector.chunk(event.item, samples, event.sample_rate, ns)
                elif isinstance(event, Span):
                    collector.span(event)
                elif isinstance(event, Done):
                    collector.done(event.item, event.why, ns)
                elif isinstance(event, Failure):
                    collector.failure(event.item, event.name, event.text)
            yield from collector.finished(time.perf_counter_ns() - began)
            for name in collector.unfinished():
                yield Outcome(name, seed, failure="unfinished", text="the system ended without saying done")

    def close(self) -> None:
        """Nothing to end."""


def _audio(clip: Clip) -> Audio:
    from array import array

    samples = array("f")
    samples.frombytes(np.ascontiguousarray(clip.samples.T).tobytes())
    return Audio(samples, clip.sample_rate, clip.channels)
