"""Controls: rows that only show the scale. They see the item's reference, which no system does, and are not timed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from calm_eval.audio.clip import Clip
from calm_eval.audio.read import AudioError, read_sound
from calm_eval.data.item import Item
from calm_eval.keys import digest, seed_from
from calm_eval.systems.outcome import Outcome
from calm_eval.systems.protocol import SystemInfo, Value
from calm_eval.systems.shuffle import derange, partners

TASKS = ("speech_continuation", "tts", "music_continuation", "text_to_music", "text_to_audio")


def add_noise(clip: Clip, snr_db: float, seed: int) -> Clip:
    """White Gaussian noise at a signal-to-noise ratio in dB, measured over the whole clip; scaled down if it clips."""
    generator = np.random.default_rng(seed)
    signal = clip.samples.astype(np.float64)
    noise = generator.standard_normal(signal.shape)
    power = float(np.mean(signal**2))
    noise *= np.sqrt(power / float(np.mean(noise**2)) / 10 ** (snr_db / 10))
    mixed = signal + noise
    return Clip((mixed / max(1.0, float(np.abs(mixed).max()))).astype(np.float32), clip.sample_rate)


class ControlEngine:
    """`reference` (the reading itself), `noise` (reference plus noise at `snr_db`), `silence`, and two shuffles.

    `shuffled_texts` is the reading of another item in the same voice, as if the system had spoken the wrong text;
    `shuffled_prompts` is the reference of an item with another speaker, piece and instrument where there is one, as if
    the system had not heard the prompt.
    """

    def __init__(self, kind: str, options: Mapping[str, Value], items: Sequence[Item]) -> None:
        self.kind = kind
        self.snr_db = float(options.get("snr_db", 5.0))
        self.info = SystemInfo(tasks=TASKS, family="other", sample_rate=0, version=1)
        self._partner: dict[str, Item] | None = None
        if kind == "shuffled_texts":
            self._partner = derange(items)
        elif kind == "shuffled_prompts":
            self._partner = partners(items, "reference")

    @property
    def identity(self) -> Mapping[str, Any]:
        """The control and its setting."""
        setting = {"snr_db": self.snr_db} if self.kind == "noise" else {}
        return {"control": self.kind, "version": 1, **setting}

    def sample_identity(self, item: Item, fingerprint: str) -> str:
        """The control, and the reference that it plays."""
        source = self._source(item)
        reference = source.reference.identity if source and source.reference else None
        return digest({"control": fingerprint, "reference": reference})

    def _source(self, item: Item) -> Item | None:
        """The item whose reference is played."""
        return item if self._partner is None else self._partner.get(item.id)

    def head_evaluations(self, samplings: Sequence[Mapping[str, Value]]) -> list[float | None]:
        """A control evaluates no head."""
        return [None] * len(samplings)

    def generate(self, items: Sequence[Item], seed: int, task: str, sampling: Mapping[str, Value]) -> Iterator[Outcome]:
        """The reference of each item, changed as the control says."""
        for item in items:
            source = self._source(item)
            if source is None:
                part = self.kind.removeprefix("shuffled_").removesuffix("s")
                text = f"there is no other item to take a {part} from"
                yield Outcome(item.id, seed, failure=f"no-other-{part}", text=text)
                continue
            if source.reference is None:
                yield Outcome(item.id, seed, failure="no-reference", text="this item has no reference audio")
                continue
            try:
                clip = read_sound(source.reference.path)
            except AudioError as error:
                yield Outcome(item.id, seed, failure=f"reference-{error.name}", text=str(error))
                continue
            yield Outcome(item.id, seed, clip=self._change(clip, item.id, seed))

    def _change(self, clip: Clip, item: str, seed: int) -> Clip:
        if self.kind == "noise":
            return add_noise(clip, self.snr_db, seed_from("noise", item, seed))
        if self.kind == "silence":
            return Clip(np.zeros_like(clip.samples), clip.sample_rate)
        return clip

    def close(self) -> None:
        """Nothing is open."""
