"""A Python system in a child that is asked for the times of a generation and for nothing else."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from calm_eval.data.item import Item
from calm_eval.systems.child import ChildEngine
from calm_eval.systems.process import DeadlinePassed, ProcessEnded
from calm_eval.systems.protocol import Value


class UntimedError(Exception):
    """A generation that gave no times: `name` is a failure's, such as `crash`, `timeout`, `out-of-memory`."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


class TimedChild(ChildEngine):
    """As `ChildEngine`, whose options it takes."""

    @property
    def loaded(self) -> bool:
        """Whether the child is up with its weights in memory."""
        return self._process is not None and self._loaded

    def load(self) -> None:
        """Bring the weights into memory, so that no generation waits for it. Raises SystemUnavailableError."""
        self._ready()

    def weight_bytes(self, sampling: Mapping[str, Value]) -> dict[str, float]:
        """Bytes of weights that one frame reads, by part; empty where the system does not say. Loads the system.

        Raises SystemUnavailableError.
        """
        self._ready()
        answer = self._ask({"op": "weights", "sampling": dict(sampling)}, "weights", self.start_timeout)
        return {str(part): float(count) for part, count in answer["values"].items()}

    def time(
        self, items: Sequence[Item], seed: int, task: str, sampling: Mapping[str, Value], *, trace: bool = True
    ) -> tuple[dict[str, Any], bool]:
        """Times of one generation of all items at once, as `run_timed` tells them, and whether it was the child's
        first. Raises UntimedError, and SystemUnavailableError when the system cannot start.
        """
        self.place.scratch.mkdir(parents=True, exist_ok=True)
        requests, refused = self._requests(items, seed, task)
        if refused:
            raise UntimedError(str(refused[0].failure), refused[0].text)
        process = self._ready()
        cold, self._cold = self._cold, False
        asked = [{**one, "trace": trace} for one in requests]
        limit = self.item_timeout * len(asked)
        try:
            process.send({"op": "time", "requests": asked, "sampling": dict(sampling)})
            answer = process.receive(time.monotonic() + limit)
        except ProcessEnded as error:
            process.kill()
            self._forget()
            raise UntimedError("crash", str(error)) from error
        except DeadlinePassed as error:
            process.kill()
            self._forget()
            raise UntimedError("timeout", f"not finished after {limit:g} s; ended") from error
        if answer["event"] == "error":
            name = "out-of-memory" if _names_memory(answer["text"]) else answer["name"]
            raise UntimedError(name, answer["text"])
        if answer["event"] != "timed":
            raise UntimedError("bad-answer", f"'{answer['event']}' where 'timed' was expected")
        return answer, cold


def _names_memory(text: str) -> bool:
    """Whether an error is one of memory: Python's, torch's on a GPU, torch's on a CPU."""
    return any(mark in text for mark in ("MemoryError", "out of memory", "OutOfMemoryError", "can't allocate memory"))
