"""One way of reaching a system, whatever its kind: what the generate stage talks to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from calm_eval.data.item import Item
from calm_eval.systems.outcome import Outcome
from calm_eval.systems.protocol import SystemInfo, Value


@dataclass(frozen=True)
class Conditions:
    """The environment of a generation: recorded beside every sample, never part of an identity.

    `item_timeout` in seconds; None leaves it to the system file, whose default is 300 s.
    """

    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    batch_size: int = 1
    item_timeout: float | None = None
    in_process: bool = False


@dataclass(frozen=True)
class Place:
    """Where an engine may write: a scratch folder that is removed afterwards, and a log that stays."""

    scratch: Path
    log: Path


class Engine(Protocol):
    """A system that can be asked for samples."""

    @property
    def info(self) -> SystemInfo:
        """What the system declares. May start a child; raises SystemUnavailableError."""
        ...

    @property
    def identity(self) -> Mapping[str, Any]:
        """What the system's fingerprint is made of: weights, configuration, version. JSON values only."""
        ...

    def sample_identity(self, item: Item, fingerprint: str) -> str:
        """Identity of all that a sample depends on besides request, sampling and seed.

        The system's own fingerprint for a model; the recorded file for a folder; the reference for a control.
        """
        ...

    def head_evaluations(self, samplings: Sequence[Mapping[str, Value]]) -> list[float | None]:
        """Head evaluations per second of audio at each sampling."""
        ...

    def generate(self, items: Sequence[Item], seed: int, task: str, sampling: Mapping[str, Value]) -> Iterator[Outcome]:
        """One outcome for each item, in any order. Raises SystemUnavailableError when the system cannot start."""
        ...

    def close(self) -> None:
        """Let everything go."""
        ...
