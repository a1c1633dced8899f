"""A Python system in a child process, with a time limit for each item and a fresh child after a crash or a hang."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from calm_eval.audio.read import AudioError, read_sound
from calm_eval.data.item import Item
from calm_eval.systems.collect import BadAnswerError, Collector
from calm_eval.systems.engine import Conditions, Place
from calm_eval.systems.outcome import Outcome, SystemUnavailableError
from calm_eval.systems.process import DeadlinePassed, Process, ProcessEnded
from calm_eval.systems.protocol import Parameter, Span, SystemInfo, Value

DEFAULT_ITEM_TIMEOUT = 300.0
"""Seconds that one item may take when neither the user nor the system file says otherwise."""

BROKE_AFTER = "broke-after"
"""Flag of a sample that was complete when its batch broke."""

_CHUNK_NAME = re.compile(r"^chunk-[0-9]+\.f32$")


class BatchBrokenError(Exception):
    """A batch did not end well: `name` is `crash`, `timeout`, `exception` or `bad-answer`."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


class ChildEngine:
    """Runs `module:factory` in an interpreter of its own."""

    def __init__(
        self,
        target: str,
        options: Mapping[str, Value],
        place: Place,
        conditions: Conditions,
        interpreter: Path | None = None,
        folder: Path | None = None,
        item_timeout: float | None = None,
        start_timeout: float = 300.0,
        spans: Mapping[str, str] | None = None,
    ) -> None:
        self.target = target
        self.options = dict(options)
        self.place = place
        self.conditions = conditions
        self.interpreter = interpreter
        self.folder = folder
        self.item_timeout = conditions.item_timeout or item_timeout or DEFAULT_ITEM_TIMEOUT
        self.start_timeout = start_timeout
        self.spans = dict(spans or {})
        self._process: Process | None = None
        self._told: dict[str, Any] | None = None
        self._loaded = False
        self._cold = True

    @property
    def info(self) -> SystemInfo:
        """What the system declares; starts the child on first use. Raises SystemUnavailableError."""
        if self._told is None:
            self._start()
        assert self._told is not None
        told = dict(self._told)
        sampling = {
            name: Parameter(**dict(one, choices=tuple(one["choices"]))) for name, one in told.pop("sampling").items()
        }
        told.pop("source_sha256", None)
        return SystemInfo(**dict(told, tasks=tuple(told["tasks"])), sampling=sampling)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Target, options, declared weights, configuration and version (or the hash of the source file)."""
        info = self.info
        assert self._told is not None
        return {
            "python": self.target,
            "options": self.options,
            "weights": dict(info.weights),
            "config": dict(info.config),
            "version": info.version if info.version is not None else self._told.get("source_sha256"),
        }

    def sample_identity(self, item: Item, fingerprint: str) -> str:
        """The system's fingerprint."""
        return fingerprint

    def head_evaluations(self, samplings: Sequence[Mapping[str, Value]]) -> list[float | None]:
        """Asked of the system, in the child."""
        if self._process is None:
            self._start()
        answer = self._ask({"op": "heads", "samplings": [dict(one) for one in samplings]}, "heads", self.start_timeout)
        return list(answer["values"])

    def close(self) -> None:
        """End the child."""
        if self._process is not None:
            self._process.close()
        self._forget()

    def _forget(self) -> None:
        self._process, self._loaded, self._cold = None, False, True

    def _environment(self) -> dict[str, str]:
        threads = str(self.conditions.threads)
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
        return {**os.environ, **dict.fromkeys(names, threads), "PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1"}

    def _start(self) -> None:
        worker = importlib.util.find_spec("calm_eval.systems.worker")
        assert worker is not None
        assert worker.origin is not None
        self.place.scratch.mkdir(parents=True, exist_ok=True)
        interpreter = str(self.interpreter or sys.executable)
        argv = [interpreter, worker.origin, str(self.place.scratch)]
        try:
            self._process = Process(argv, self._environment(), self.place.log)
        except OSError as error:
            raise SystemUnavailableError("start-error", f"cannot start {interpreter}: {error}") from error
        describe = {
            "op": "describe",
            "target": self.target,
            "options": self.options,
            "spans": self.spans,
            "paths": [str(self.folder.resolve())] if self.folder else [],
        }
        self._told = self._ask(describe, "described", self.start_timeout)["info"]

    def _ask(self, message: dict[str, Any], expected: str, seconds: float) -> dict[str, Any]:
        assert self._process is not None
        try:
            self._process.send(message)
            answer = self._process.receive(time.monotonic() + seconds)
        except ProcessEnded as error:
            self._forget()
            raise SystemUnavailableError("crash", f"while asked to {message['op']}: {error}") from error
        except DeadlinePassed as error:
            self._process.kill()
            self._forget()
            raise SystemUnavailableError("start-timeout", f"no answer to {message['op']} in {seconds:g} s") from error
        if answer["event"] == "error":
            raise SystemUnavailableError(answer["name"], answer["text"])
        if answer["event"] != expected:
            raise SystemUnavailableError("bad-answer", f"'{answer['event']}' where '{expected}' was expected")
        return answer

    def _ready(self) -> Process:
        if self._process is None:
            self._start()
        if not self._loaded:
            conditions = self.conditions
            load = {"op": "load", "device": conditions.device, "dtype": conditions.dtype, "threads": conditions.threads}
            self._ask(load, "loaded", self.start_timeout)
            self._loaded = True
        assert self._process is not None
        return self._process

    def generate(self, items: Sequence[Item], seed: int, task: str, sampling: Mapping[str, Value]) -> Iterator[Outcome]:
        """Outcomes as they come; a batch that breaks is tried again one by one, so that only the culprit fails."""
        self.place.scratch.mkdir(parents=True, exist_ok=True)
        size = self.conditions.batch_size
        waiting = [list(items[start : start + size]) for start in range(0, len(items), size)]
        while waiting:
            batch = waiting.pop(0)
            requests, refused = self._requests(batch, seed, task)
            yield from refused
            if not requests:
                continue
            process = self._ready()
            names = [request["item"] for request in requests]
            collector = Collector(names, seed, cold=self._cold)
            self._cold = False
            trouble: BatchBrokenError | None = None
            batch_ns: int | None = None
            try:
                batch_ns = self._converse(process, requests, sampling, collector)
            except BatchBrokenError as error:
                trouble = error
            left = [item for item in batch if item.id in collector.unfinished()]
            # A process that breaks each time its work is done costs a new start for every batch: to be seen.
            noticed = (BROKE_AFTER,) if trouble is not None and not left else ()
            for outcome in collector.finished(batch_ns):
                yield replace(outcome, noticed=noticed)
            if trouble is None:
                trouble = BatchBrokenError("unfinished", "the system ended without saying that the sample was done")
            if len(names) > 1:
                waiting[:0] = [[item] for item in left]
            else:
                for item in left:
                    yield Outcome(item.id, seed, failure=trouble.name, text=str(trouble))

    def _requests(self, items: Sequence[Item], seed: int, task: str) -> tuple[list[dict[str, Any]], list[Outcome]]:
        requests: list[dict[str, Any]] = []
        refused: list[Outcome] = []
        for number, item in enumerate(items):
            prompt = None
            if item.prompt is not None:
                try:
                    clip = read_sound(item.prompt.path)
                except AudioError as error:
                    refused.append(Outcome(item.id, seed, failure=f"prompt-{error.name}", text=str(error)))
                    continue
                file = f"prompt-{number}.f32"
                (self.place.scratch / file).write_bytes(np.ascontiguousarray(clip.samples.T).tobytes())
                prompt = {"file": file, "rate": clip.sample_rate, "channels": clip.channels}
            request = {"item": item.id, "seed": seed, "task": task, "text": item.text}
            requests.append({**request, "prompt": prompt, "duration": item.duration})
        return requests, refused

    def _converse(
        self,
        process: Process,
        requests: list[dict[str, Any]],
        sampling: Mapping[str, Value],
        collector: Collector,
    ) -> int:
        with self._batch(process, len(requests)) as deadline:
            process.send({"op": "generate", "requests": requests, "sampling": dict(sampling)})
            while True:
                event = process.receive(deadline)
                if event["event"] == "batch_end":
                    return int(event["ns"])
                if event["event"] == "error":
                    raise BatchBrokenError(event["name"], event["text"])
                self._take(event, collector)

    @contextlib.contextmanager
    def _batch(self, process: Process, size: int) -> Iterator[float]:
        """The deadline of a batch. A child that dies, is late or talks nonsense is ended: BatchBrokenError."""
        limit = self.item_timeout * size
        try:
            yield time.monotonic() + limit
        except ProcessEnded as error:
            process.kill()
            self._forget()
            raise BatchBrokenError("crash", str(error)) from error
        except DeadlinePassed as error:
            process.kill()
            self._forget()
            raise BatchBrokenError("timeout", f"not finished after {limit:g} s; ended and started again") from error
        except (BadAnswerError, KeyError, TypeError, ValueError, OSError) as error:
            process.kill()
            self._forget()
            raise BatchBrokenError("bad-answer", f"{type(error).__name__}: {error}") from error

    def _take(self, event: dict[str, Any], collector: Collector) -> None:
        kind, item = event["event"], event["item"]
        if event["seed"] != collector.seed:
            raise BadAnswerError(f"an event for seed {event['seed']}, asked for {collector.seed}")
        if kind == "chunk":
            if not _CHUNK_NAME.match(event["file"]):
                raise BadAnswerError(f"chunk in a file named {event['file']!r}")
            path = self.place.scratch / event["file"]
            flat = np.frombuffer(path.read_bytes(), dtype=np.float32)
            path.unlink()
            samples = np.ascontiguousarray(flat.reshape(event["frames"], event["channels"]).T)
            collector.chunk(item, samples, event["rate"], event["ns"])
        elif kind == "span":
            collector.span(Span(item, event["seed"], event["name"], event["step"], event["ns"]))
        elif kind == "done":
            collector.done(item, event["why"], event["ns"])
        elif kind == "failure":
            collector.failure(item, event["name"], event["text"])
        else:
            raise BadAnswerError(f"unknown event '{kind}'")
