"""Published WER protocols: each figure derived again by hand, and what tells one from another."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import statistics
import string
import subprocess
from collections.abc import Sequence
from typing import Any, get_args

import jiwer
import numpy as np
import pytest
from whisper_normalizer.english import EnglishTextNormalizer

from calm_eval.errors import InputError
from calm_eval.judges.protocol import JudgeInfo, Judgement
from calm_eval.keys import digest
from calm_eval.metrics.edits import Edits, count_edits
from calm_eval.metrics.error_rate_protocols import (
    F5_LIBRISPEECH_PC,
    POCKET_TTS,
    PROTOCOLS,
    SEED_TTS_EVAL,
    TTS_LONGEVAL,
    TTS_LONGEVAL_SEED,
    WER_F5_LIBRISPEECH_PC,
    WER_POCKET_TTS,
    WER_SEED_TTS_EVAL,
    WER_TTS_LONGEVAL,
    WER_TTS_LONGEVAL_SEED,
    Protocol,
    median_rate,
    title_with,
    wer_by_protocol,
)
from calm_eval.metrics.identity import metric_identity
from calm_eval.metrics.normalisers import CJK_PUNCTUATION
from calm_eval.metrics.protocol import ItemValue, SampleView
from calm_eval.metrics.word_error_rate import WER, WER_MEAN, ErrorRate, Form

PUBLISHED = (WER_SEED_TTS_EVAL, WER_F5_LIBRISPEECH_PC, WER_TTS_LONGEVAL, WER_TTS_LONGEVAL_SEED, WER_POCKET_TTS)
FORMS: tuple[Form, ...] = get_args(Form)
JUDGE = JudgeInfo("whisper-tiny.en/faster-whisper", "transcript", 16000, 1, {"model": "a" * 64}, {"beam_size": 1})

PAIRS = [
    ("John's book, they said, isn't here.", "johns book they said isn't here"),
    ("Stop—its over.", " Stop, its over"),
    ("“Don’t”, she said - twice.", "don't she said  twice twice"),
    ("Twenty-one colours at 9 o'clock!", "21 colors at nine o'clock"),
    ("Silence", ""),
    ("A short one.", "a short one and then a long tail of words that nobody asked for at all"),
    ("Exactly right here.", "Exactly right here."),
]


def heard(text: str | None, said: str | None = None, *, failure: str | None = None, refused: str | None = None):
    judgements = {} if failure else {"sample": Judgement(text=said, refused=refused)}
    return SampleView(failure=failure, text=text, judgements=judgements)


def measured(metric: ErrorRate, pairs: Sequence[tuple[str, str]] = PAIRS) -> list[ItemValue]:
    return [metric.measure(heard(*pair)) for pair in pairs]


def value(values: Sequence[ItemValue]) -> float:
    kept = [one for one in values if one.refused is None]
    return sum(one.numerator for one in kept) / sum(one.denominator for one in kept)


def distance(first: list[str], second: list[str]) -> int:
    """Levenshtein's recurrence, row by row."""
    row = list(range(len(second) + 1))
    for place, one in enumerate(first, 1):
        corner, row[0] = row[0], place
        for other, two in enumerate(second, 1):
            corner, row[other] = row[other], min(row[other] + 1, row[other - 1] + 1, corner + (one != two))
    return row[-1]


def stripped(text: str, keep: str, more: str) -> list[str]:
    dropped = [one for one in string.punctuation + more if one not in keep]
    return "".join(one for one in text if one not in dropped).lower().split()


CJK = "".join(CJK_PUNCTUATION)
MEANS = [
    (WER_SEED_TTS_EVAL, "'", CJK),
    (WER_F5_LIBRISPEECH_PC, "", CJK),
    (WER_TTS_LONGEVAL, "", ""),
    (WER_TTS_LONGEVAL_SEED, "'", ""),
]


@pytest.mark.parametrize(("metric", "keep", "more"), MEANS, ids=[row[0].spec.name for row in MEANS])
def test_means_of_items_derived_again(metric: ErrorRate, keep: str, more: str) -> None:
    sides = [(stripped(text, keep, more), stripped(said, keep, more)) for text, said in PAIRS]
    truth = [distance(*pair) / len(pair[0]) for pair in sides]
    found = measured(metric)
    assert [one.numerator for one in found] == truth
    assert value(found) == pytest.approx(statistics.fmean(truth), rel=1e-15)


def test_the_same_pairs_by_hand() -> None:
    # Errors and words of each pair under each rule, counted on paper.
    # Where ' stays, johns is not john's. The typographic don’t matches don't only where both signs go. stop—its is one.
    truth = [
        (WER_SEED_TTS_EVAL, [(1, 6), (2, 2), (2, 4), (3, 5), (1, 1), (13, 3), (0, 3)]),
        (WER_F5_LIBRISPEECH_PC, [(0, 6), (2, 2), (1, 4), (3, 5), (1, 1), (13, 3), (0, 3)]),
        (WER_TTS_LONGEVAL, [(0, 6), (2, 2), (2, 4), (3, 5), (1, 1), (13, 3), (0, 3)]),
        (WER_TTS_LONGEVAL_SEED, [(1, 6), (2, 2), (2, 4), (3, 5), (1, 1), (13, 3), (0, 3)]),
    ]
    for metric, rows in truth:
        found = [
            (sum(one.parts[name] for name in ("substitutions", "deletions", "insertions")), one.parts["length"])
            for one in measured(metric)
        ]
        assert found == rows, metric.spec.name


def test_pocket_tts_is_jiwers_corpus_rate_after_whispers_normaliser() -> None:
    rule = EnglishTextNormalizer()
    pairs = [*PAIRS, ("(laughs)", "ha ha")]
    sides = [(rule(text), rule(said)) for text, said in pairs]
    kept = [pair for pair in sides if pair[0].strip()]
    found = measured(WER_POCKET_TTS, pairs)
    assert value(found) == pytest.approx(jiwer.wer(*[list(side) for side in zip(*kept, strict=True)]), rel=1e-15)
    assert found[-1].refused == "no-reference-words"
    # The corpus rate of this package counts what was said there, so the two differ on such items alone.
    assert value(measured(WER, pairs)) > value(found)
    assert value(measured(WER)) == value(measured(WER_POCKET_TTS))


def test_printed_figures() -> None:
    seventh = 1 / 7
    assert SEED_TTS_EVAL.as_printed(seventh) == 14.286
    assert F5_LIBRISPEECH_PC.as_printed(seventh) == pytest.approx(100 * round(seventh, 5), abs=1e-12)
    assert TTS_LONGEVAL.as_printed(seventh) == float(f"{seventh:.2%}".rstrip("%"))
    assert POCKET_TTS.as_printed(seventh) == 100 * seventh


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=lambda one: one.name)
def test_forms_by_hand(protocol: Protocol) -> None:
    pairs = [("a b c d", "a b c d"), ("a b", "a"), ("a b", "x y z"), ("a b c d", "a b x y z"), ("a b c", "")]
    forms = {form: value(measured(protocol.in_form(form), pairs)) for form in FORMS}
    # Errors 0, 1, 3, 3, 3 of 4, 2, 2, 4, 3 words; a rate of exactly one half is not above it.
    assert forms["corpus"] == pytest.approx(10 / 15, rel=1e-15)
    assert forms["capped"] == pytest.approx(9 / 15, rel=1e-15)
    assert forms["mean"] == pytest.approx((0 + 1 / 2 + 3 / 2 + 3 / 4 + 1) / 5, rel=1e-15)
    assert forms["above-half"] == pytest.approx(3 / 5, rel=1e-15)
    assert forms["empty-transcripts"] == pytest.approx(1 / 5, rel=1e-15)


@pytest.mark.parametrize("metric", PUBLISHED, ids=lambda metric: metric.spec.name)
def test_laws(metric: ErrorRate) -> None:
    found = measured(metric)
    assert value(found * 2) == pytest.approx(value(found), rel=1e-15)
    assert value(found[::-1]) == pytest.approx(value(found), rel=1e-15)
    for place in range(len(found) + 1):
        worse = [*found[:place], metric.measure(heard("good words", "nothing like it")), *found[place:]]
        assert value(worse) > value(found)
    assert value(measured(metric, [(text, text) for text, _ in PAIRS])) == 0


@pytest.mark.parametrize("metric", PUBLISHED, ids=lambda metric: metric.spec.name)
def test_failures_are_data_where_the_tools_skip(metric: ErrorRate) -> None:
    for failure in ("empty", "nan"):
        lost = metric.measure(heard("four words in here", failure=failure))
        assert lost.numerator == lost.denominator
        assert lost.parts["deletions"] == 4
    assert metric.measure(heard("a word", failure="missing")) == ItemValue(refused="missing")
    assert metric.measure(heard("a word", refused="nan")) == ItemValue(refused="judge:nan")
    assert metric.measure(heard(None, "a word")) == ItemValue(refused="no-text")
    wordless = "(laughs)" if metric is WER_POCKET_TTS else "..."
    assert metric.measure(heard(wordless, "a word")).refused == "no-reference-words"


def fingerprint(metric: ErrorRate, judge: JudgeInfo | None = JUDGE) -> str:
    return digest(metric_identity(metric.spec, judge))


def test_every_protocol_and_form_is_a_quantity_of_its_own() -> None:
    metrics = [one.in_form(form) for one, form in itertools.product(PROTOCOLS.values(), FORMS)]
    prints = {fingerprint(metric) for metric in [*metrics, WER, WER_MEAN]}
    assert len(prints) == len(PROTOCOLS) * len(FORMS) + 2
    assert len({metric.spec.name for metric in metrics}) == len(metrics)
    assert len({metric.spec.title for metric in metrics}) == len(metrics)
    assert all(metric.spec.kind in ("item", "ratio") for metric in metrics)


@pytest.mark.parametrize(
    "change",
    [
        {"asr": "whisper-base/transformers"},
        {"decoding": {"beam_size": 2}},
        {"name": "another"},
        {"normaliser": dataclasses.replace(SEED_TTS_EVAL.normaliser, version=2)},
        {"normaliser": TTS_LONGEVAL_SEED.normaliser},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_a_protocol_says_is_identity(change: dict[str, Any]) -> None:
    other = dataclasses.replace(SEED_TTS_EVAL, **change).in_form("mean")
    assert fingerprint(other) != fingerprint(WER_SEED_TTS_EVAL)


def test_rounding_and_source_are_not_identity() -> None:
    other = dataclasses.replace(SEED_TTS_EVAL, decimals=1, source="elsewhere").in_form("mean")
    assert fingerprint(other) == fingerprint(WER_SEED_TTS_EVAL)


def test_the_judge_is_identity_too() -> None:
    large = dataclasses.replace(JUDGE, name="whisper-large-v3/transformers")
    assert fingerprint(WER_SEED_TTS_EVAL, large) != fingerprint(WER_SEED_TTS_EVAL)


def test_title_says_which_ear_was_used() -> None:
    spec = WER_F5_LIBRISPEECH_PC.spec
    assert title_with(spec, JUDGE) == (
        "WER, f5-librispeech-pc rules (whisper-tiny.en/faster-whisper, not whisper-large-v3/faster-whisper)"
    )
    named = dataclasses.replace(JUDGE, name="whisper-large-v3/faster-whisper")
    told = title_with(spec, named)
    assert "beam_size" in told
    assert "temperature" in told
    beam = dataclasses.replace(named, parameters={**F5_LIBRISPEECH_PC.decoding, "beam_size": 1})
    assert title_with(spec, beam) == f"{spec.title} (other beam_size)"
    exact = dataclasses.replace(named, parameters=dict(F5_LIBRISPEECH_PC.decoding))
    assert title_with(spec, exact) == spec.title
    assert title_with(spec, None) == spec.title
    assert title_with(WER.spec, JUDGE) == WER.spec.title


def test_by_name() -> None:
    assert wer_by_protocol("pocket-tts") == WER_POCKET_TTS
    assert wer_by_protocol("seed-tts-eval", "mean") == WER_SEED_TTS_EVAL
    assert wer_by_protocol("seed-tts-eval", "corpus").spec.name == "wer_seed_tts_eval_corpus"
    with pytest.raises(InputError, match="tts-longeval"):
        wer_by_protocol("seed")
    with pytest.raises(InputError, match="above-half"):
        wer_by_protocol("seed-tts-eval", "median")


def test_median_is_that_of_the_rates() -> None:
    items = [count_edits(*pair) for pair in [("a b", "a b"), ("a b", "a"), ("a", "b c d"), ("", "x")]]
    assert median_rate(items) == statistics.median([0.0, 0.5, 3.0])
    assert median_rate(items[:2]) == 0.25
    generator = np.random.default_rng(3)
    drawn = [Edits(*map(int, generator.integers(0, 9, size=3)), int(generator.integers(1, 20))) for _ in range(51)]
    assert median_rate(drawn) == statistics.median([one.errors / one.length for one in drawn])
    with pytest.raises(ValueError, match="reference"):
        median_rate([Edits(0, 0, 2, 0)])


OLD_TOOLS = """
import json, string, sys
import jiwer
from zhon.hanzi import punctuation
rates = []
for text, said in json.load(sys.stdin):
    told = jiwer.compute_measures(text, said)
    rates.append([told["wer"], told["substitutions"] + told["deletions"] + told["insertions"]])
json.dump({"rates": rates, "punctuation": punctuation}, sys.stdout)
"""


@pytest.mark.slow
def test_against_the_packages_that_the_tools_were_written_for() -> None:
    """`CALM_EVAL_JIWER3_PYTHON` names an interpreter that has jiwer 3.1.0 and zhon 2.1.1."""
    interpreter = os.environ.get("CALM_EVAL_JIWER3_PYTHON")
    if not interpreter:
        pytest.skip("CALM_EVAL_JIWER3_PYTHON is not set")
    generator = np.random.default_rng(8)
    vocabulary = ["It's", "stop—its", "“Don’t”", "the,", "The", "21", "a", "b.", "-", "…", "\t", "c\u00a0d"]
    texts = [" ".join(generator.choice(vocabulary, size=generator.integers(2, 20))) + " end" for _ in range(400)]
    raw = list(zip(texts, [*texts[1:], ""], strict=True))
    for metric in PUBLISHED[:4]:
        pairs = [(metric.normaliser(text), metric.normaliser(said)) for text, said in raw]
        done = subprocess.run(
            [interpreter, "-c", OLD_TOOLS], input=json.dumps(pairs), capture_output=True, text=True, check=True
        )
        told = json.loads(done.stdout)
        assert set(told["punctuation"]) == CJK_PUNCTUATION
        found = measured(metric, raw)
        assert [one.numerator for one in found] == [rate for rate, _ in told["rates"]]
        assert [count_edits(*pair).errors for pair in pairs] == [errors for _, errors in told["rates"]]
