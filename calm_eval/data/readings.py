"""The mini corpus: sentences read aloud by voices that install from packages, written as a manifest with audio."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from calm_eval.data.sentences import Sentence, read_sentences
from calm_eval.data.voices import VOICES
from calm_eval.errors import InputError
from calm_eval.keys import digest
from calm_eval.systems.protocol import Chunk, Failure, Request, System

BUILDER_VERSION = 1  # raised by hand when the same sentences and recipes give other audio or another manifest
SEED = 1_000_003  # not one that a run uses: a reading must not be the very audio that a system then makes
THREADS = 2


class Readings:
    """The corpus that a sentences file describes.

    `sentences` is a JSON Lines file (see `calm_eval.data.sentences`). Raises InputError for a fault in it.
    """

    def __init__(self, sentences: Path) -> None:
        self._path = sentences
        self._rows = read_sentences(sentences, VOICES)
        self._prompts: dict[str, list[Sentence]] = {}
        for row in self._rows:
            if row.prompt:
                self._prompts.setdefault(row.voice, []).append(row)

    @property
    def identity(self) -> str:
        """Sha256 (hex) of sentences, recipes, weights and builder: the same on every machine, no audio involved."""
        rows = [[row.id, row.text, row.voice, list(row.tags), row.prompt] for row in self._rows]
        recipes = {voice: VOICES[voice].recipe for voice in {row.voice for row in self._rows}}
        return digest({"builder": BUILDER_VERSION, "seed": SEED, "rows": rows, "recipes": recipes})

    def build(self, folder: Path, progress: Callable[[int, int], None] | None = None) -> None:
        """Write `audio/<n>.flac` (16-bit, mono) for every row, then `manifest.jsonl` for the items.

        `folder` is made where it is missing. `progress` is called with the rows done and their number after each row.
        Raises UnavailableError when a voice cannot be had, InputError when a voice cannot read a sentence.
        """
        (folder / "audio").mkdir(parents=True, exist_ok=True)
        systems: dict[str, System] = {}
        for number, row in enumerate(self._rows, start=1):
            if row.voice not in systems:
                systems[row.voice] = VOICES[row.voice].load(THREADS)
            samples, rate = self._read(row, systems[row.voice])
            soundfile.write(folder / _audio(number), samples, rate, format="FLAC", subtype="PCM_16")
            if progress is not None:
                progress(number, len(self._rows))
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in self._manifest()]
        # Last, so that a folder with a manifest is a finished one.
        (folder / "manifest.jsonl").write_text("".join(lines), encoding="utf-8", newline="\n")

    def _manifest(self) -> list[dict[str, object]]:
        paths = {row.id: _audio(number) for number, row in enumerate(self._rows, start=1)}
        turn: Counter[str] = Counter()
        manifest: list[dict[str, object]] = []
        for row in self._rows:
            if row.prompt:
                continue
            prompts = self._prompts[row.voice]
            prompt = prompts[turn[row.voice] % len(prompts)]
            turn[row.voice] += 1
            manifest.append(
                {
                    "id": row.id,
                    "text": row.text,
                    "tags": list(row.tags),
                    "speaker": row.voice,
                    "reference": paths[row.id],
                    "reference_identity": reading_identity(row),
                    "prompt": paths[prompt.id],
                    "prompt_text": prompt.text,
                    "prompt_identity": reading_identity(prompt),
                    "synthetic": True,
                }
            )
        return manifest

    def _read(self, row: Sentence, system: System) -> tuple[NDArray[np.int16], int]:
        """One reading as int16 of shape [frames] with its rate in Hz, at the level that the voice gave."""
        pieces: list[NDArray[np.float32]] = []
        rate = system.info.sample_rate
        for event in system.generate([Request(row.id, SEED, "tts", row.text)], VOICES[row.voice].sampling):
            if isinstance(event, Failure):
                raise InputError(f"{self._path}:{row.line}: {row.voice}: {event.name}: {event.text}")
            if isinstance(event, Chunk):
                pieces.append(event.samples)
                rate = event.sample_rate
        scaled = np.rint(np.concatenate(pieces).astype(np.float64) * 32768)
        if scaled.max() > 32767 or scaled.min() < -32768:
            raise InputError(f"{self._path}:{row.line}: {row.voice} clips on this sentence: reword it")
        return scaled.astype(np.int16), rate


def reading_identity(row: Sentence) -> str:
    """Sha256 (hex) that names one reading, whatever a machine's rounding makes of it.

    The id belongs to it because Piper draws its noise for (id, seed).
    """
    return digest([BUILDER_VERSION, VOICES[row.voice].recipe, SEED, row.id, row.text])


def _audio(number: int) -> str:
    return f"audio/{number:04d}.flac"
