"""What WER and CER are worth on failures, refusals and empty texts, and what changes their identity."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import jiwer
import numpy as np
import pytest

from calm_eval.judges.protocol import JudgeInfo, Judgement
from calm_eval.keys import digest
from calm_eval.metrics.identity import metric_identity
from calm_eval.metrics.normalisers import WHISPER_ENGLISH
from calm_eval.metrics.protocol import ItemValue, SampleView
from calm_eval.metrics.word_error_rate import CER, CER_MEAN, WER, WER_MEAN, ErrorRate

ALL = [WER, WER_MEAN, CER, CER_MEAN]
JUDGE = JudgeInfo("whisper", "transcript", 16000, 1, {"model": "a" * 64}, {"beam": 1})


def heard(text: str | None, said: str | None = None, *, failure: str | None = None, refused: str | None = None):
    judgements = {} if failure else {"sample": Judgement(text=said, refused=refused)}
    return SampleView(failure=failure, text=text, judgements=judgements)


def corpus(values: Sequence[ItemValue]) -> float:
    kept = [value for value in values if value.refused is None]
    return sum(value.numerator for value in kept) / sum(value.denominator for value in kept)


TEXTS = ["The cat sat.", "It is two o eight", "Hello there, world", "One more for the road", "Yes"]
SAID = ["the cat sat", "it is 209", "hello world", "one more for for the rode", "yes yes yes no"]


def test_corpus_rate_is_jiwers_on_the_normalised_texts() -> None:
    truth = jiwer.wer([WHISPER_ENGLISH(text) for text in TEXTS], [WHISPER_ENGLISH(text) for text in SAID])
    values = [WER.measure(heard(*pair)) for pair in zip(TEXTS, SAID, strict=True)]
    assert corpus(values) == pytest.approx(truth, rel=1e-12)
    assert corpus([CER.measure(heard(*pair)) for pair in zip(TEXTS, SAID, strict=True)]) == pytest.approx(
        jiwer.cer([WHISPER_ENGLISH(text) for text in TEXTS], [WHISPER_ENGLISH(text) for text in SAID]), rel=1e-12
    )


def test_mean_of_items_is_the_mean_of_jiwers_single_rates() -> None:
    single = [jiwer.wer(WHISPER_ENGLISH(text), WHISPER_ENGLISH(said)) for text, said in zip(TEXTS, SAID, strict=True)]
    values = [WER_MEAN.measure(heard(*pair)) for pair in zip(TEXTS, SAID, strict=True)]
    assert corpus(values) == pytest.approx(np.mean(single), rel=1e-12)


def test_duplicates_and_order_leave_the_corpus_rate_alone() -> None:
    values = [WER.measure(heard(*pair)) for pair in zip(TEXTS, SAID, strict=True)]
    assert corpus(values * 3) == corpus(values) == corpus(values[::-1])
    # Doubling one bad item alone must raise it, or the first law could not fail.
    assert corpus([*values, values[-1]]) > corpus(values)


def test_rate_above_one() -> None:
    value = WER.measure(heard("stop", "stop it now please"))
    assert (value.numerator, value.denominator) == (3, 1)
    assert WER_MEAN.measure(heard("stop", "stop it now please")).numerator == 3


@pytest.mark.parametrize("failure", ["empty", "nan"])
def test_audio_with_nothing_in_it_deletes_every_word(failure: str) -> None:
    view = heard("four words in here", failure=failure)
    value = WER.measure(view)
    assert (value.numerator, value.denominator, value.refused) == (4, 4, None)
    assert value.parts["deletions"] == 4
    letters = CER.measure(view)
    assert letters.numerator == letters.denominator == len(WHISPER_ENGLISH("four words in here"))
    assert WER_MEAN.measure(view).numerator == CER_MEAN.measure(view).numerator == 1


@pytest.mark.parametrize("failure", ["crash", "timeout", "missing", "unsupported"])
@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.spec.name)
def test_audio_that_is_not_there_has_no_value(metric: ErrorRate, failure: str) -> None:
    assert metric.measure(heard("four words in here", failure=failure)) == ItemValue(refused=failure)


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.spec.name)
def test_refusals(metric: ErrorRate) -> None:
    assert metric.measure(heard("a word", refused="too-long")) == ItemValue(refused="judge:too-long")
    assert metric.measure(heard(None, "a word")) == ItemValue(refused="no-text")


@pytest.mark.parametrize("said", ["", None, "[Music]", "mm hmm"])
def test_a_transcript_of_nothing_is_all_deletions(said: str | None) -> None:
    value = WER.measure(heard("three little words", said))
    assert (value.numerator, value.denominator, value.parts["deletions"]) == (3, 3, 3)


def test_text_without_words_counts_insertions_in_the_corpus_only() -> None:
    value = WER.measure(heard("(laughs)", "ha ha"))
    assert (value.numerator, value.denominator, value.parts["insertions"]) == (2, 0, 2)
    mean = WER_MEAN.measure(heard("(laughs)", "ha ha"))
    assert (mean.numerator, mean.denominator, mean.refused) == (None, None, "no-reference-words")
    silent = WER.measure(heard("(laughs)", ""))
    assert (silent.numerator, silent.denominator, silent.refused) == (0, 0, None)


def test_characters_count_spaces() -> None:
    value = CER.measure(heard("well known", "wellknown"))
    assert (value.numerator, value.denominator) == (1, 10)


def fingerprint(metric: ErrorRate, judge: JudgeInfo = JUDGE) -> str:
    return digest(metric_identity(metric.spec, judge))


def test_four_rates_have_four_fingerprints() -> None:
    assert len({fingerprint(metric) for metric in ALL}) == 4


@pytest.mark.parametrize(
    "change",
    [
        {"name": "whisper-large"},
        {"version": 2},
        {"weights": {"model": "b" * 64}},
        {"parameters": {"beam": 5}},
        {"sample_rate": 8000},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_judge_is_another_fingerprint(change: dict[str, object]) -> None:
    assert fingerprint(WER, dataclasses.replace(JUDGE, **change)) != fingerprint(WER)


def test_a_licence_changes_no_number() -> None:
    assert fingerprint(WER, dataclasses.replace(JUDGE, licence="MIT")) == fingerprint(WER)


@pytest.mark.parametrize("change", [{"version": 2}, {"parameters": {"normaliser": "none"}}])
def test_another_version_or_normaliser_is_another_fingerprint(change: dict[str, object]) -> None:
    other = dataclasses.replace(WER, spec=dataclasses.replace(WER.spec, **change))
    assert fingerprint(other) != fingerprint(WER)


@pytest.mark.parametrize("change", [{"title": "Word errors"}, {"scale": 1.0}, {"definition": "?"}])
def test_how_it_is_shown_is_not_identity(change: dict[str, object]) -> None:
    other = dataclasses.replace(WER, spec=dataclasses.replace(WER.spec, **change))
    assert fingerprint(other) == fingerprint(WER)


def test_identity_names_no_library_version() -> None:
    from importlib import metadata

    told = str(metric_identity(WER.spec, JUDGE))
    for package in ("jiwer", "whisper-normalizer", "soxr", "numpy"):
        assert metadata.version(package) not in told


@pytest.mark.parametrize(
    ("metric", "truth"),
    [
        (WER, "e63dcd93967b113617bc53697e5822c6ce6baf0f8cbac6644b9223b15b97fd00"),
        (WER_MEAN, "3a40f36de01ed6c8c57ea27f1cb3b27cf2b902f055d1c9002aea577128cf63d8"),
        (CER, "75a997f4bfa56b91ed77ddf95793d77fe6f87c556a39dafa58d629dd0c7cd2d5"),
        (CER_MEAN, "9af4e2fb59f27ac22a94de32560980b29113b198209c3a47adb354e30b73d40f"),
    ],
    ids=lambda value: getattr(value, "spec", None) and value.spec.name,
)
def test_identity_since_the_first_version(metric: ErrorRate, truth: str) -> None:
    # Numbers that are stored under it must stay comparable; whoever changes it raises `version`.
    assert digest(metric_identity(metric.spec, None)) == truth
