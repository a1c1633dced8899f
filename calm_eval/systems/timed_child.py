"""A Python system in a child that is asked for the times of a generation and for nothing else."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calm_eval.data.item import Item
from calm_eval.systems.child import BatchBrokenError, ChildEngine
from calm_eval.systems.protocol import Value


@dataclass(frozen=True)
class TimedAnswer:
    """What `run_timed` told, whether it was the child's first generation, and its nanoseconds by this process's clock,
    from the request to the word that it has ended.
    """

    told: Mapping[str, Any]
    cold: bool
    outside: int


class TimedChild(ChildEngine):
    """As `ChildEngine`, whose options it takes."""

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
    ) -> TimedAnswer:
        """Times of one generation of all items at once. Raises BatchBrokenError by the names of a failure
        (`out-of-memory` among them), and SystemUnavailableError when the system cannot start.
        """
        self.place.scratch.mkdir(parents=True, exist_ok=True)
        requests, refused = self._requests(items, seed, task)
        if refused:
            raise BatchBrokenError(str(refused[0].failure), refused[0].text)
        process = self._ready()
        cold, self._cold = self._cold, False
        asked = [{**one, "trace": trace} for one in requests]
        with self._batch(process, len(asked)) as deadline:
            began = time.perf_counter_ns()
            process.send({"op": "time", "requests": asked, "sampling": dict(sampling)})
            answer = process.receive(deadline)
            outside = time.perf_counter_ns() - began
            if answer["event"] == "ended":
                answer = process.receive(deadline)
        if answer["event"] == "error":
            name = "out-of-memory" if _names_memory(answer["text"]) else answer["name"]
            raise BatchBrokenError(name, answer["text"])
        if answer["event"] != "timed":
            raise BatchBrokenError("bad-answer", f"'{answer['event']}' where 'timed' was expected")
        return TimedAnswer(answer, cold, outside)


def _names_memory(text: str) -> bool:
    """Whether an error is one of memory: Python's, torch's on a GPU, torch's on a CPU."""
    return any(mark in text for mark in ("MemoryError", "out of memory", "OutOfMemoryError", "can't allocate memory"))
