"""One prompt of a suite, with everything that metrics may compare its samples with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from calm_eval.keys import digest

TUNING = "tuning"


@dataclass(frozen=True)
class AudioRef:
    """An audio of an item: where it lies, and its identity (content hash, or the recipe of a built corpus)."""

    path: Path
    identity: str


@dataclass(frozen=True)
class Item:
    """One prompt. `duration` in seconds; `speaker` names the voice of prompt and reference.

    `prompt_round_trip` is the prompt through a codec: what SIM-r compares with.
    """

    id: str
    text: str | None = None
    speaker: str | None = None
    prompt: AudioRef | None = None
    prompt_round_trip: AudioRef | None = None
    reference: AudioRef | None = None
    duration: float | None = None
    tags: tuple[str, ...] = ()

    @property
    def tuning(self) -> bool:
        """Whether samplings are picked on this item (the tag `tuning`); such items are in no table."""
        return TUNING in self.tags

    def request_digest(self, task: str) -> str:
        """Identity of what a system sees: a sample depends on this and on nothing else of the item."""
        return digest(
            {
                "task": task,
                "id": self.id,
                "text": self.text,
                "prompt": self.prompt.identity if self.prompt else None,
                "duration": self.duration,
            }
        )

    def part(self, name: str) -> str | None:
        """Identity of one thing that a metric may need: `text`, `speaker`, or one of `audios`."""
        if name in self.audios:
            audio = self.audios[name]
            return audio.identity if audio else None
        return {"text": self.text, "speaker": self.speaker}[name]

    @property
    def audios(self) -> dict[str, AudioRef | None]:
        """The audios of the item by the names that metrics use."""
        return {"prompt": self.prompt, "prompt_round_trip": self.prompt_round_trip, "reference": self.reference}

    def digest(self, task: str) -> str:
        """Identity of the whole item."""
        parts = {name: self.part(name) for name in ("reference", "speaker")}
        if self.prompt_round_trip is not None:
            parts["prompt_round_trip"] = self.part("prompt_round_trip")
        return digest({"request": self.request_digest(task), **parts})


def items_digest(items: Iterable[Item], task: str) -> str:
    """Identity of a set of items, whatever their order."""
    return digest(sorted(item.digest(task) for item in items))
