"""Loops, pace and words where nobody speaks: by hand, by laws, and against Whisper's own function."""

from __future__ import annotations

import itertools
import string

import numpy as np
import pytest

from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.hallucination import (
    ASR_LOOPS,
    EMPTY_TRANSCRIPTS,
    PACE_OUTLIERS,
    WER_ABOVE_HALF,
    characters_per_second,
    compression_ratio,
    voiced_segments,
    words_outside_speech,
)
from calm_eval.metrics.protocol import ItemValue, SampleView

SENTENCE = "the quick brown fox jumps over the lazy dog and runs away from five hungry wolves in the snow"
LOOP = "thank you very much. " * 30


def test_compression_ratio_is_whispers() -> None:
    theirs = pytest.importorskip("whisper.utils").compression_ratio
    others = pytest.importorskip("faster_whisper.transcribe").get_compression_ratio
    generator = np.random.default_rng(2)
    texts = ["", "a", SENTENCE, LOOP, "Привет, ёж! 日本語 “é”"]
    texts += ["".join(generator.choice(list(string.printable), size=size)) for size in (1, 7, 300)]
    for text in texts:
        assert compression_ratio(text) == theirs(text) == others(text)


def test_loops_are_above_the_limit_and_sentences_below() -> None:
    assert compression_ratio("") == 0
    # Deflate cannot do better than about 1000 to 1 (RFC 1951: 258 bytes for two bits or so).
    assert 500 < compression_ratio("a" * 100_000) < 1032
    assert compression_ratio(SENTENCE) < 1.5
    assert compression_ratio(LOOP) > 2.4
    ratios = [compression_ratio("thank you very much. " * times) for times in (1, 3, 10, 30, 90)]
    assert ratios == sorted(ratios)


def view(text: str | None, seconds: float = 10.0, asked: str | None = None, **notes: float) -> SampleView:
    return SampleView(
        failure=None, text=asked, seconds=seconds, judgements={"sample": Judgement(text=text, notes=notes)}
    )


@pytest.mark.parametrize(
    ("sample", "value", "of"),
    [
        (view(SENTENCE), 0.0, "transcript"),
        (view(LOOP), 1.0, "transcript"),
        (view(""), 0.0, "transcript"),
        (view(None), 0.0, "transcript"),
        # What the recogniser tells of its windows is what counts.
        (view(SENTENCE, compression_ratio=2.41), 1.0, "window"),
        (view(LOOP, compression_ratio=2.4), 0.0, "window"),
    ],
)
def test_share_of_loops(sample: SampleView, value: float, of: str) -> None:
    found = ASR_LOOPS.measure(sample)
    assert (found.numerator, found.denominator, found.parts["of"]) == (value, 1.0, of)


@pytest.mark.parametrize(
    ("characters", "seconds", "value"),
    [(10, 10.0, 0.0), (9, 10.0, 1.0), (300, 10.0, 0.0), (301, 10.0, 1.0), (0, 0.5, 1.0), (15, 1.0, 0.0)],
)
def test_pace_by_hand(characters: int, seconds: float, value: float) -> None:
    found = PACE_OUTLIERS.measure(view("x" * characters, seconds))
    assert (found.numerator, found.denominator) == (value, 1.0)
    assert found.parts == {"characters_per_second": pytest.approx(characters / seconds)}


def test_pace_of_no_length() -> None:
    assert PACE_OUTLIERS.measure(view("a", 0.0)) == ItemValue(refused="empty")
    assert characters_per_second("  ab  ", 2.0) == 1.0
    for seconds in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="above 0 s"):
            characters_per_second("a", seconds)


@pytest.mark.parametrize("metric", [ASR_LOOPS, PACE_OUTLIERS], ids=lambda metric: metric.spec.name)
def test_refusals(metric: object) -> None:
    for failure in ("empty", "nan", "crash"):
        assert metric.measure(SampleView(failure=failure)) == ItemValue(refused=failure)
    refused = SampleView(failure=None, seconds=1.0, judgements={"sample": Judgement(refused="nan")})
    assert metric.measure(refused) == ItemValue(refused="judge:nan")


def test_share_above_half_and_empty_transcripts() -> None:
    pairs = [("red fox", "red"), ("red fox", ""), ("red fox", "[Music]"), ("yes", "no no no"), ("yes", "Yes!")]
    above = [WER_ABOVE_HALF.measure(view(said, asked=asked)).numerator for asked, said in pairs]
    empty = [EMPTY_TRANSCRIPTS.measure(view(said, asked=asked)).numerator for asked, said in pairs]
    assert above == [0, 1, 1, 1, 0]
    assert empty == [0, 1, 1, 0, 0]
    lost = SampleView(failure="empty", text="red fox")
    assert WER_ABOVE_HALF.measure(lost).numerator == EMPTY_TRANSCRIPTS.measure(lost).numerator == 1
    assert EMPTY_TRANSCRIPTS.measure(view("", asked="(laughs)")).refused == "no-reference-words"


def test_voiced_segments_by_hand() -> None:
    assert voiced_segments([0.1, 0.9, 0.8, 0.2, 0.5, 0.51], 0.5) == [(0.5, 1.5), (2.5, 3.0)]
    assert voiced_segments([], 0.5) == []
    assert voiced_segments([0.0, 0.2], 0.5) == []
    assert voiced_segments([1.0] * 4, 0.25) == [(0.0, 1.0)]
    assert voiced_segments([0.4, 0.2, 0.4], 1.0, threshold=0.3) == [(0.0, 1.0), (2.0, 3.0)]


def test_voiced_time_is_the_share_of_voiced_chunks() -> None:
    probabilities = np.random.default_rng(1).random(500)
    segments = voiced_segments(probabilities, 0.032)
    assert sum(end - start for start, end in segments) == pytest.approx(0.032 * np.sum(probabilities > 0.5))
    assert all(before[1] < after[0] for before, after in itertools.pairwise(segments))


@pytest.mark.parametrize(("probabilities", "chunk"), [([[0.5]], 1.0), ([np.nan], 1.0), ([0.5], 0.0)])
def test_voiced_segments_refuse(probabilities: list[float], chunk: float) -> None:
    with pytest.raises(ValueError, match="chunk"):
        voiced_segments(probabilities, chunk)


WORDS = [(0.0, 0.4), (0.9, 1.1), (2.0, 2.0), (3.0, 3.5), (5.0, 6.0)]


@pytest.mark.parametrize(
    ("voiced", "tolerance", "outside"),
    [
        ([], 0.2, 5),
        ([(0.0, 10.0)], 0.0, 0),
        ([(1.0, 2.0)], 0.0, 3),
        ([(1.0, 2.0)], 0.65, 2),
        ([(1.0, 2.0)], 1.0, 1),
        ([(0.3, 0.5), (5.5, 5.6)], 0.0, 3),
        ([(2.1, 2.2)], 0.05, 5),
        ([(2.1, 2.2)], 0.15, 4),
    ],
)
def test_words_outside_speech_by_hand(voiced: list[tuple[float, float]], tolerance: float, outside: int) -> None:
    assert words_outside_speech(WORDS, voiced, tolerance) == outside
    # Neither order nor a common start of the clock matters.
    assert words_outside_speech(WORDS[::-1], voiced[::-1], tolerance) == outside
    later = [[(start + 8.0, end + 8.0) for start, end in each] for each in (WORDS, voiced)]
    assert words_outside_speech(*later, tolerance) == outside


def test_words_outside_speech_refuse() -> None:
    assert words_outside_speech([], []) == 0
    with pytest.raises(ValueError, match="intervals"):
        words_outside_speech([(2.0, 1.0)], [])
    with pytest.raises(ValueError, match="intervals"):
        words_outside_speech([], [(2.0, float("nan"))])
    with pytest.raises(ValueError, match="tolerance"):
        words_outside_speech([], [], -0.1)
