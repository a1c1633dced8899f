"""The mini speech corpus: sentences of a small grammar read by a Piper voice and four voices of espeak-ng."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from calm_eval.data import grammar
from calm_eval.data.corpus import CorpusClip, Split
from calm_eval.data.voices import VOICES, Voice
from calm_eval.errors import InputError
from calm_eval.keys import digest
from calm_eval.systems.protocol import Chunk, Failure, Request, System

VERSION = 1  # raised by hand when the same grammar and voices give another corpus
SEED = 2_000_003  # not one that a run uses: a reading must not be the very audio that a system then makes
THREADS = 2

SENTENCES: Mapping[Split, Mapping[str, int]] = {
    "train": {"piper-joe": 2200, "espeak": 400},
    "valid": {"piper-joe": 50, "espeak": 15},
    "test": {"piper-joe": 260, "espeak": 65},
    "reference_set": {"piper-joe": 210, "espeak": 55},
}
"""Sentences of each split: by Piper, and by each voice of espeak-ng. Multiples of `TOGETHER`."""

TOGETHER = 5
"""Sentences of a paragraph."""

LOUDNESS, LOUDEST = 0.06, 0.9
"""Root mean square that every reading is brought to, and the peak that it keeps below; full scale is 1."""

TERMS = (
    "Sentences: the project's own grammar (Apache-2.0).",
    "Voice piper-joe: Piper en_US-joe-medium; its data set is CC0, its base voice lessac has unclear data terms.",
    "Voices espeak-*: espeak-ng, a program under GPL-3.0-or-later; its output is not a work of the program.",
)


class SpeechCorpus:
    """Clips tagged `sentence`, and `paragraph`: the same readings, five of one voice in a row.

    No sentence stands in two splits, and each is read once.
    """

    terms: Sequence[str] = TERMS

    @cached_property
    def voices(self) -> dict[str, Voice]:
        """The readers. Piper's noise is less than its default: a small model learns from few readings."""
        quiet = {"noise_scale": 0.4, "noise_w": 0.4, "length_scale": 1.0}
        return {
            name: dataclasses.replace(voice, sampling=quiet) if voice.engine == "piper" else voice
            for name, voice in VOICES.items()
        }

    @property
    def identity(self) -> str:
        """Sha256 over grammar, splits, voices and versions."""
        return digest(
            {
                "version": VERSION,
                "seed": SEED,
                "words": {slot: grammar.fillers(slot) for slot in grammar.SLOTS},
                "patterns": list(grammar.PATTERNS),
                "sentences": {split: dict(counts) for split, counts in SENTENCES.items()},
                "together": TOGETHER,
                "level": [LOUDNESS, LOUDEST],
                "voices": {name: dict(voice.recipe) for name, voice in self.voices.items()},
            }
        )

    @property
    def count(self) -> int:
        """Sentences and paragraphs."""
        plan = self.plan()
        return len(plan) + len(plan) // TOGETHER

    def plan(self) -> list[tuple[Split, str, str]]:
        """Split, voice and text of every sentence, in reading order."""
        fresh = _fresh_sentences()
        return [
            (split, voice, next(fresh))
            for split, counts in SENTENCES.items()
            for voice in self.voices
            for _ in range(counts.get(voice, counts["espeak"]))
        ]

    def clips(self, split: Split | None = None) -> Iterator[CorpusClip]:
        """Each sentence, and after every fifth the paragraph of those five. Raises UnavailableError, InputError."""
        systems: dict[str, System] = {}
        row: list[CorpusClip] = []
        for number, (part, voice, text) in enumerate(self.plan(), start=1):
            if split not in (None, part):
                continue
            if voice not in systems:
                systems[voice] = self.voices[voice].load(THREADS)
            name = f"s{number:05d}"
            samples, rate = _read(systems[voice], name, text, self.voices[voice])
            clip = CorpusClip(part, name, samples, rate, text, voice, ("sentence",))
            yield clip
            row.append(clip)
            if len(row) == TOGETHER:
                yield _paragraph(f"p{number // TOGETHER:05d}", row)
                row = []


def _fresh_sentences() -> Iterator[str]:
    seen: set[str] = set()
    number = 0
    while True:
        text = grammar.sentence(number, "mini-speech")
        number += 1
        if text not in seen:
            seen.add(text)
            yield text


def _read(system: System, name: str, text: str, voice: Voice) -> tuple[NDArray[np.float32], int]:
    pieces: list[NDArray[np.float32]] = []
    rate = system.info.sample_rate
    for event in system.generate([Request(name, SEED, "tts", text)], voice.sampling):
        if isinstance(event, Failure):
            raise InputError(f"{voice.option} cannot read {text!r}: {event.name}: {event.text}")
        if isinstance(event, Chunk):
            pieces.append(event.samples.reshape(-1))
            rate = event.sample_rate
    return levelled(np.concatenate(pieces)), rate


def levelled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The samples [frames] at the corpus's root mean square, or lower where the peak would be too high."""
    exact = samples.astype(np.float64)
    gain = min(LOUDNESS / np.sqrt(np.mean(exact**2)), LOUDEST / np.abs(exact).max())
    scaled: NDArray[np.float32] = (exact * gain).astype(np.float32)
    return scaled


def _paragraph(name: str, row: Sequence[CorpusClip]) -> CorpusClip:
    """Readings with pauses of 0.15 to 0.35 s, which the name decides."""
    first = row[0]
    parts: list[NDArray[np.float32]] = []
    for place, clip in enumerate(row):
        if place:
            share = hashlib.sha256(f"{name}/{place}".encode()).digest()[0] / 255
            parts.append(np.zeros(round((0.15 + 0.2 * share) * first.rate), np.float32))
        parts.append(clip.samples)
    text = re.sub(r"\s+", " ", " ".join(clip.text or "" for clip in row))
    return CorpusClip(first.split, name, np.concatenate(parts), first.rate, text, first.speaker, ("paragraph",))
