"""What came of one sample: audio with its timing, or a named failure."""

from __future__ import annotations

from dataclasses import dataclass, field

from calm_eval.audio.clip import Clip
from calm_eval.systems.protocol import Span


@dataclass(frozen=True)
class Outcome:
    """One finished attempt at (item, seed).

    `clip` or `failure` is set, never both. `why` is `eos`, `length` or `limit`. Seconds are measured by the clock of
    the process that ran the system and are None where no generation took place (recorded audio, controls). `noticed`
    holds flags of the harness about the attempt.
    """

    item: str
    seed: int
    clip: Clip | None = None
    failure: str | None = None
    text: str = ""
    why: str = "eos"
    generate_seconds: float | None = None
    first_audio_seconds: float | None = None
    streamed: bool = False
    cold: bool = False
    spans: tuple[Span, ...] = field(default_factory=tuple)
    noticed: tuple[str, ...] = ()


class SystemUnavailableError(Exception):
    """A system cannot be started at all: `name` is `import-error`, `load-error`, `start-timeout` or `crash`."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name
