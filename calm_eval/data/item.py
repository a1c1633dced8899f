"""One prompt of a suite, with everything that metrics may compare its samples with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from calm_eval.keys import digest


@dataclass(frozen=True)
class AudioRef:
    """An audio of an item: where it lies, and its identity (content hash, or the recipe of a built corpus)."""

    path: Path
    identity: str


@dataclass(frozen=True)
class Item:
    """One prompt. `duration` in seconds; `speaker` names the voice of prompt and reference."""

    id: str
    text: str | None = None
    speaker: str | None = None
    prompt: AudioRef | None = None
    reference: AudioRef | None = None
    duration: float | None = None
    tags: tuple[str, ...] = ()

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
        """Identity of one thing that a metric may need: `text`, `prompt`, `reference` or `speaker`."""
        if name in ("prompt", "reference"):
            audio = self.prompt if name == "prompt" else self.reference
            return audio.identity if audio else None
        return self.text if name == "text" else self.speaker

    def digest(self, task: str) -> str:
        """Identity of the whole item."""
        parts = {name: self.part(name) for name in ("reference", "speaker")}
        return digest({"request": self.request_digest(task), **parts})
