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


def derange(items: Sequence[Item]) -> dict[str, Item]:
    """Give every item the text of another, by rotation inside each group of one speaker (so the voice stays right).

    Items that are alone with their speaker rotate among themselves; a last lonely one has no partner.
    """
    groups: dict[str | None, list[Item]] = {}
    for item in items:
        groups.setdefault(item.speaker, []).append(item)
    alone = [group[0] for group in groups.values() if len(group) == 1]
    rings = [ring for ring in (*groups.values(), alone) if len(ring) > 1]
    return {item.id: ring[(place + 1) % len(ring)] for ring in rings for place, item in enumerate(ring)}


class ControlEngine:
    """`reference` (the reading itself), `noise` (reference plus noise at `snr_db`), `silence`, `shuffled_texts`.

    `shuffled_texts` is the reading of another item in the same voice, as if the system had spoken the wrong text.
    """

    def __init__(self, kind: str, options: Mapping[str, Value], items: Sequence[Item]) -> None:
        self.kind = kind
        self.snr_db = float(options.get("snr_db", 5.0))
        self.info = SystemInfo(tasks=TASKS, family="other", sample_rate=0, version=1)
        self._partner = derange(items) if kind == "shuffled_texts" else {}

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
        return self._partner.get(item.id) if self.kind == "shuffled_texts" else item

    def head_evaluations(self, samplings: Sequence[Mapping[str, Value]]) -> list[float | None]:
        """A control evaluates no head."""
        return [None] * len(samplings)

    def generate(self, items: Sequence[Item], seed: int, task: str, sampling: Mapping[str, Value]) -> Iterator[Outcome]:
        """The reference of each item, changed as the control says."""
        for item in items:
            source = self._source(item)
            if source is None:
                yield Outcome(item.id, seed, failure="no-other-text", text="there is no other item to take a text from")
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
