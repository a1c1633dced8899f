"""The published text rules by hand, and against a plain replace loop over the punctuation tables."""

from __future__ import annotations

import hashlib
import string
import unicodedata

import numpy as np
import pytest

from calm_eval.metrics.normalisers import (
    CJK_PUNCTUATION,
    F5_LIBRISPEECH,
    NONE,
    NORMALISERS,
    SEED_TTS_EVAL,
    TTS_LONGEVAL_F5,
    TTS_LONGEVAL_SEED,
    WHISPER_ENGLISH,
    Normaliser,
)

RULES = (SEED_TTS_EVAL, F5_LIBRISPEECH, TTS_LONGEVAL_F5, TTS_LONGEVAL_SEED)

# Text, then what seed-tts-eval, F5, tts_longeval `f5` and tts_longeval `seed_en` leave of it.
BY_HAND = [
    ("Don't stop, John's here.", "don't stop john's here", "dont stop johns here", "dont stop johns here", None),
    # The typographic apostrophe goes in one pair of tools and stays in the other.
    ("Don’t", "dont", "dont", "don’t", "don’t"),
    ("Stop—its “quoted” end…", "stopits quoted end", "stopits quoted end", "stop—its “quoted” end…", None),
    ("stop-its", "stopits", "stopits", "stopits", "stopits"),
    ("well - known", "well known", "well known", "well known", "well known"),
    # One pass over double spaces leaves some of three.
    ("a - - b", "a  b", "a  b", "a b", "a b"),
    ("a     b", "a   b", "a   b", "a b", "a b"),
    (" A. ", " a ", " a ", " a ", " a "),
    ("$3.50 (50%)", "350 50", "350 50", "350 50", "350 50"),
    ("twenty-one colours", "twentyone colours", "twentyone colours", "twentyone colours", "twentyone colours"),
    ("ÉCOLE İ", "école i̇", "école i̇", "école i̇", "école i̇"),
    ("你好，世界。", "你好世界", "你好世界", "你好，世界。", "你好，世界。"),
    ("a\tb\nc", "a\tb\nc", "a\tb\nc", "a\tb\nc", "a\tb\nc"),
    ("", "", "", "", ""),
    ("...", "", "", "", ""),
]


@pytest.mark.parametrize(("text", "seed", "f5", "longeval_f5", "longeval_seed"), BY_HAND)
def test_by_hand(text: str, seed: str, f5: str, longeval_f5: str, longeval_seed: str | None) -> None:
    assert SEED_TTS_EVAL(text) == seed
    assert F5_LIBRISPEECH(text) == f5
    assert TTS_LONGEVAL_F5(text) == longeval_f5
    if longeval_seed is not None:
        assert TTS_LONGEVAL_SEED(text) == longeval_seed


def test_seed_keeps_the_straight_apostrophe_and_f5_drops_it() -> None:
    assert SEED_TTS_EVAL("It's o'clock") == TTS_LONGEVAL_SEED("It's o'clock") == "it's o'clock"
    assert F5_LIBRISPEECH("It's o'clock") == TTS_LONGEVAL_F5("It's o'clock") == "its oclock"


def test_em_dash_joins_in_every_tool_but_whispers() -> None:
    left = {name: NORMALISERS[name]("stop—its").split() for name in NORMALISERS}
    assert {name: len(words) for name, words in left.items()} == {
        "whisper-english": 2,
        "seed-tts-eval": 1,
        "f5-librispeech": 1,
        "tts-longeval-f5": 1,
        "tts-longeval-seed": 1,
        "none": 1,
    }
    assert left["tts-longeval-f5"] == ["stop—its"]
    assert left["f5-librispeech"] == ["stopits"]


def test_the_table_of_punctuation_is_zhons() -> None:
    # Sha256 of the sorted characters of zhon.hanzi.punctuation 2.1.1, taken from the package.
    told = "f56e4ec97cb3ee5bf6923138ff0a264513191f6769a1739c0632946185a0e708"
    assert hashlib.sha256("".join(sorted(CJK_PUNCTUATION)).encode()).hexdigest() == told
    assert len(CJK_PUNCTUATION) == 82
    # Spaces aside, Unicode calls all of them punctuation or symbols; no letter or digit is lost.
    assert {unicodedata.category(one)[0] for one in CJK_PUNCTUATION} <= {"P", "S", "Z"}


def replaced(text: str, dropped: str, once: bool) -> str:
    for one in dropped:
        text = text.replace(one, "")
    text = text.replace("  ", " ") if once else " ".join(text.split(" "))
    while not once and "  " in text:
        text = text.replace("  ", " ")
    return text.lower()


def random_texts(number: int) -> list[str]:
    generator = np.random.default_rng(5)
    alphabet = list(" " * 20 + "abcABCäÉ' " + string.punctuation + "".join(sorted(CJK_PUNCTUATION)))
    return ["".join(generator.choice(alphabet, size=generator.integers(0, 40))) for _ in range(number)]


@pytest.mark.parametrize(
    ("rule", "dropped", "once"),
    [
        (SEED_TTS_EVAL, "".join(CJK_PUNCTUATION) + string.punctuation.replace("'", ""), True),
        (F5_LIBRISPEECH, "".join(CJK_PUNCTUATION) + string.punctuation, True),
        (TTS_LONGEVAL_F5, string.punctuation, False),
        (TTS_LONGEVAL_SEED, string.punctuation.replace("'", ""), False),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_against_one_replacement_after_another(rule: Normaliser, dropped: str, once: bool) -> None:
    for text in random_texts(400):
        assert rule(text) == replaced(text, dropped, once)


def test_laws() -> None:
    for text in random_texts(300):
        for rule in RULES:
            # Case never matters, and a second pass changes no word.
            assert rule(text.upper()).split() == rule(text.upper().lower()).split()
            assert rule(rule(text)).split() == rule(text).split()
        # F5 is Seed without apostrophes.
        assert F5_LIBRISPEECH(SEED_TTS_EVAL(text)).split() == F5_LIBRISPEECH(text).split()
        assert NONE(text) == text


def test_names_versions_and_sources() -> None:
    assert {name: rule.name for name, rule in NORMALISERS.items()} == {name: name for name in NORMALISERS}
    assert {rule.version for rule in NORMALISERS.values()} == {1}
    assert all(rule.source for rule in NORMALISERS.values())


def test_whisper_english_is_the_package_with_single_spaces() -> None:
    from whisper_normalizer.english import EnglishTextNormalizer

    theirs = EnglishTextNormalizer()
    for text in [*(row[0] for row in BY_HAND), "Mr. Park paid two dollars and seventy cents.", "[Music] mm hmm"]:
        assert WHISPER_ENGLISH(text) == " ".join(theirs(text).split())
