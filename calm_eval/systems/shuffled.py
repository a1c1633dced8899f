"""The control that asks whether a system hears its prompt or reads its text: it is told those of another item."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from calm_eval.data.item import Item
from calm_eval.errors import InputError
from calm_eval.keys import digest
from calm_eval.systems.engine import Engine
from calm_eval.systems.outcome import Outcome
from calm_eval.systems.protocol import SystemInfo, Value
from calm_eval.systems.shuffle import derange, partners, value

Told = Literal["prompt", "text"]


class ShuffledEngine:
    """A real system that gets each item with another item's prompt or text; its samples are scored against the item.

    Id, seed and duration stay the item's own, so that both rows draw the same noise. Prompts come from another
    speaker, piece and instrument where there is one; texts from an item of the same speaker. Its time is not told: it
    is that of the system. Raises InputError where no item of the suite has such a part.
    """

    def __init__(self, system: Engine, part: Told, items: Sequence[Item], name: str) -> None:
        having = [item for item in items if value(item, part) is not None]
        if not having:
            raise InputError(f"control '{name}' shuffles each item's {part}, and no item of this suite has one")
        self._system = system
        self.part = part
        self._partner = derange(having) if part == "text" else partners(having, part)

    @property
    def info(self) -> SystemInfo:
        """What the system declares."""
        return self._system.info

    @property
    def identity(self) -> Mapping[str, Any]:
        """The system's identity, and what is shuffled."""
        return {"control": "shuffled", "part": self.part, "version": 1, "system": dict(self._system.identity)}

    def sample_identity(self, item: Item, fingerprint: str) -> str:
        """The control, and what the system is told in place of the item's own."""
        partner = self._partner.get(item.id)
        return digest({"control": fingerprint, "told": value(partner, self.part) if partner else None})

    def head_evaluations(self, samplings: Sequence[Mapping[str, Value]]) -> list[float | None]:
        """A control has no place on the axis of cost."""
        return [None] * len(samplings)

    def generate(self, items: Sequence[Item], seed: int, task: str, sampling: Mapping[str, Value]) -> Iterator[Outcome]:
        """What the system makes of each item as it is told."""
        told = [self._told(item, self._partner[item.id]) for item in items if item.id in self._partner]
        for item in items:
            if item.id not in self._partner:
                text = f"there is no other item to take a {self.part} from"
                yield Outcome(item.id, seed, failure=f"no-other-{self.part}", text=text)
        for outcome in self._system.generate(told, seed, task, sampling):
            yield untimed(outcome)

    def _told(self, item: Item, partner: Item) -> Item:
        if self.part == "text":
            return dataclasses.replace(item, text=partner.text)
        return dataclasses.replace(item, prompt=partner.prompt)

    def close(self) -> None:
        """Let the system go."""
        self._system.close()


def untimed(outcome: Outcome) -> Outcome:
    """The outcome as controls have it: without times."""
    return dataclasses.replace(
        outcome, generate_seconds=None, first_audio_seconds=None, streamed=False, cold=False, spans=()
    )
