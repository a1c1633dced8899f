"""Word error rates by the suite's own judge and normaliser, with every transcript kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from minis_statistics import Audio

from calm_eval.audio.write import write_atomically
from calm_eval.judges.faster_whisper import FasterWhisperJudge, whisper_tiny_en
from calm_eval.metrics.edits import count_edits
from calm_eval.metrics.normalisers import WHISPER_ENGLISH
from calm_eval.stats.bootstrap import ratio_interval


@dataclass(frozen=True)
class Rate:
    """Edits over words with the 95 % bootstrap interval over items."""

    value: float
    low: float
    high: float
    items: int

    def sentence(self, points: bool = False) -> str:
        """The rate, or as signed points of a difference."""
        if points:
            return f"{100 * self.value:+.1f} points [{100 * self.low:+.1f}, {100 * self.high:+.1f}]"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class Scored:
    """Edits and words of each item, in order."""

    edits: tuple[int, ...]
    words: tuple[int, ...]

    def rate(self) -> Rate:
        """Corpus WER. Raises ValueError with fewer than two items or no word."""
        return _rate(self.edits, self.words)

    def above(self, other: Scored) -> Rate:
        """Corpus WER less that of another scoring of the same texts, paired over items."""
        if self.words != other.words:
            raise ValueError("the two scorings are not of the same texts")
        return _rate([mine - its for mine, its in zip(self.edits, other.edits, strict=True)], self.words)

    def only(self, places: Sequence[int]) -> Scored:
        """The items at these places."""
        return Scored(tuple(self.edits[place] for place in places), tuple(self.words[place] for place in places))


@dataclass
class Listener:
    """Whisper tiny.en on one thread; what it heard is kept in `folder` by the audio's hash."""

    folder: Path
    _judge: FasterWhisperJudge | None = field(default=None)

    def hear(self, audio: Audio) -> str:
        """The transcript of a 16 kHz sound; an empty one holds no word."""
        if audio.size == 0:
            return ""
        place = self.folder / "heard" / f"{hashlib.sha256(audio.astype(np.float32).tobytes()).hexdigest()}.json"
        if not place.is_file():
            if self._judge is None:
                self._judge = whisper_tiny_en()
                self._judge.load("cpu", 1)
            judgement = self._judge.judge([audio])[0]
            if judgement.text is None:
                raise ValueError(f"the judge refuses a sound: {judgement.refused}")
            write_atomically(place, json.dumps(judgement.text).encode())
        return str(json.loads(place.read_text(encoding="utf-8")))

    def score(self, texts: Sequence[str], sounds: Sequence[Audio]) -> Scored:
        """Each sound against its text."""
        return score(texts, [self.hear(sound) for sound in sounds])


def score(texts: Sequence[str], heard: Sequence[str]) -> Scored:
    """Transcripts against texts, both through Whisper's English normaliser."""
    found = [count_edits(WHISPER_ENGLISH(text), WHISPER_ENGLISH(said)) for text, said in zip(texts, heard, strict=True)]
    return Scored(tuple(one.errors for one in found), tuple(one.length for one in found))


def _rate(errors: Sequence[int], words: Sequence[int]) -> Rate:
    bounds = ratio_interval([float(one) for one in errors], [float(one) for one in words], seed=0)
    if bounds is None:
        raise ValueError("a rate with an interval needs at least two items and one word")
    return Rate(sum(errors) / sum(words), *bounds, len(words))
