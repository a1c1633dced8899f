"""Signs that a recogniser, or the voice it heard, went astray: loops, impossible pace, words where nobody speaks.

They flag; nothing is dropped for them. The thresholds of loops are those of Whisper's decoding (openai/whisper,
whisper/transcribe.py).
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse
from calm_eval.metrics.word_error_rate import LOOP_COMPRESSION, ErrorRate, error_rate_spec

PACE = (1.0, 30.0)
"""Characters of a transcript per second of audio: below, speech is missing; above, nobody speaks so fast."""

Interval = tuple[float, float]
"""Start and end, in seconds."""


def compression_ratio(text: str) -> float:
    """Bytes of a text in UTF-8 over its bytes after zlib, as Whisper computes it; 0 for an empty text.

    Above 2.4 a text of one 30-s window repeats itself. Long texts compress better than short ones, so that the limit
    means less for a text of several windows.
    """
    plain = text.encode()
    return len(plain) / len(zlib.compress(plain))


def characters_per_second(text: str, seconds: float) -> float:
    """Characters of a text, without the white space at its edges, per second. Raises ValueError unless seconds > 0."""
    if not seconds > 0:
        raise ValueError(f"pace needs a length above 0 s, got {seconds}")
    return len(text.strip()) / seconds


def voiced_segments(probabilities: ArrayLike, chunk: float, threshold: float = 0.5) -> list[Interval]:
    """Runs of chunks whose probability of speech [chunks] is above `threshold`; a chunk lasts `chunk` seconds.

    Raises ValueError on another shape, on NaN, or on a chunk of no length.
    """
    voice = np.asarray(probabilities, dtype=np.float64)
    if voice.ndim != 1 or np.isnan(voice).any() or not chunk > 0:
        raise ValueError(f"one probability for each chunk of more than 0 s, got {voice.shape} and {chunk} s")
    edges = np.flatnonzero(np.diff(np.concatenate([[False], voice > threshold, [False]]).astype(np.int8)))
    return [(float(start) * chunk, float(end) * chunk) for start, end in edges.reshape(-1, 2)]


def words_outside_speech(words: Sequence[Interval], voiced: Sequence[Interval], tolerance: float = 0.2) -> int:
    """How many words touch no voiced segment, each word widened by `tolerance` seconds at both ends.

    The tolerance is for a recogniser's word times, which are off by a tenth of a second or two. Raises ValueError when
    an interval ends before it starts or the tolerance is negative.
    """
    if tolerance < 0 or any(not start <= end for start, end in (*words, *voiced)):
        raise ValueError("intervals must not end before they start, and the tolerance must not be negative")
    return sum(
        not any(start - tolerance <= last and first <= end + tolerance for first, last in voiced)
        for start, end in words
    )


def _loop_ratio(judgement: Judgement) -> tuple[float, str]:
    """The largest ratio over the recogniser's windows where it reports one, else that of the whole transcript."""
    told = judgement.notes.get("compression_ratio")
    if told is not None:
        return float(told), "window"
    return compression_ratio((judgement.text or "").strip()), "transcript"


@dataclass(frozen=True)
class TranscriptSign:
    """Share of items whose transcript shows one sign. Every failure and refusal has no value and is counted."""

    spec: MetricSpec
    sign: Literal["loop", "pace"]

    def measure(self, view: SampleView) -> ItemValue:
        """1 when the sign is there, 0 when it is not; `parts` holds the figure that was compared."""
        if view.failure is not None:
            return refuse(view.failure)
        judgement = view.judgements["sample"]
        if judgement.refused is not None:
            return refuse(f"judge:{judgement.refused}")
        if self.sign == "loop":
            ratio, whose = _loop_ratio(judgement)
            return ItemValue(float(ratio > LOOP_COMPRESSION), 1.0, {"compression_ratio": ratio, "of": whose})
        if not view.seconds:
            return refuse("empty")
        pace = characters_per_second(judgement.text or "", view.seconds)
        return ItemValue(float(not PACE[0] <= pace <= PACE[1]), 1.0, {"characters_per_second": pace})


def _sign(name: str, title: str, sign: Literal["loop", "pace"], limits: dict[str, float | str]) -> TranscriptSign:
    spec = MetricSpec(
        name=name,
        title=title,
        unit="%",
        scale=100.0,
        higher_is_better=False,
        kind="item",
        version=1,
        low=0.0,
        high=1.0,
        judge="whisper-tiny.en",
        parameters=limits,
        definition={
            "loop": f"share of items whose transcript compresses more than {LOOP_COMPRESSION}-fold",
            "pace": f"share of items with a transcript of less than {PACE[0]:g} or more than {PACE[1]:g} characters/s",
        }[sign],
    )
    return TranscriptSign(spec, sign)


ASR_LOOPS = _sign(
    "asr_loops",
    "ASR loops",
    "loop",
    {"above": LOOP_COMPRESSION, "ratio": "largest of the recogniser's windows if it tells, else of the transcript"},
)
PACE_OUTLIERS = _sign("pace_outliers", "Pace outliers", "pace", {"below": PACE[0], "above": PACE[1]})
WER_ABOVE_HALF = ErrorRate(
    error_rate_spec(
        "wer_above_half", "WER > 50 %", "above-half", "share of items with more edits than half of their words"
    ),
    "above-half",
)
EMPTY_TRANSCRIPTS = ErrorRate(
    error_rate_spec(
        "empty_transcripts", "Empty transcripts", "empty-transcripts", "share of items of which no word was heard"
    ),
    "empty-transcripts",
)
