"""VERT by hand, against nltk and sacrebleu, and what diversity must do."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from calm_eval.metrics.vert import (
    TRIGRAMS,
    auto_bleu,
    frames_kept,
    self_bleu,
    shortest_texts,
    vert,
)


def texts(count: int, seed: int, vocabulary: int = 8) -> list[list[str]]:
    """Texts over few words, so that n-grams recur within and between them."""
    generator = np.random.default_rng(seed)
    return [[f"w{word}" for word in generator.integers(0, vocabulary, generator.integers(1, 25))] for _ in range(count)]


@pytest.mark.parametrize(
    ("text", "unigrams", "bigrams"),
    [
        ("a b a b", 1, 2 / 3),  # a-b stands twice, b-a once
        ("a a a", 1, 0),  # the two a-a overlap
        ("a a a a", 1, 2 / 3),  # the first and the last a-a do not, the middle one overlaps both
        ("a b c d", 0, 0),
        ("a b c a", 1 / 2, 0),
        ("a a", 1, 0),
    ],
)
def test_auto_bleu_by_hand(text: str, unigrams: float, bigrams: float) -> None:
    arithmetic, geometric = (auto_bleu(text.split(), averaging=kind) for kind in ("arithmetic", "geometric"))
    assert arithmetic == pytest.approx((unigrams + bigrams) / 2, rel=1e-12)
    assert geometric == pytest.approx(math.sqrt(unigrams * bigrams), rel=1e-12)


def test_auto_bleu_of_next_to_nothing() -> None:
    assert auto_bleu([]) == auto_bleu(["a"]) == 0
    # Too short for trigrams: fairseq's script gives NaN here.
    assert auto_bleu(["a", "a"], averaging="arithmetic", weights=TRIGRAMS) == pytest.approx(1 / 3)


def test_self_bleu_by_hand() -> None:
    three = [["the", "cat", "sat"], ["the", "cat", "the", "cat"], ["a", "dog"]]
    # First: the and cat of three words, the-cat of two bigrams. Second: 2 of 4 and 1 of 3, each once in the first.
    truth = [(2 / 3, 1 / 2), (2 / 4, 1 / 3), (0, 0)]
    assert self_bleu(three, averaging="arithmetic") == pytest.approx([(p + q) / 2 for p, q in truth])
    assert self_bleu(three) == pytest.approx([math.sqrt(p * q) for p, q in truth])
    both = vert(three)
    assert both.self_bleu == pytest.approx((math.sqrt(1 / 3) + math.sqrt(1 / 6)) / 3)
    assert both.auto_bleu == pytest.approx(math.sqrt(1 * 2 / 3) / 3)
    assert both.value == pytest.approx(math.sqrt(both.self_bleu * both.auto_bleu))
    assert both.n == 3


@pytest.mark.parametrize("weights", [(0.5, 0.5), TRIGRAMS, (0.2, 0.8)])
@pytest.mark.parametrize("averaging", ["arithmetic", "geometric"])
def test_nltks_modified_precision(averaging: Any, weights: Any) -> None:
    modified_precision = pytest.importorskip("nltk.translate.bleu_score").modified_precision
    some = texts(25, 1, vocabulary=30)
    for number, ours in enumerate(self_bleu(some, averaging=averaging, weights=weights)):
        rest = some[:number] + some[number + 1 :]
        shares = [float(modified_precision(rest, some[number], order)) for order in range(1, len(weights) + 1)]
        if averaging == "arithmetic":
            truth = float(np.dot(weights, shares))
        else:
            truth = float(np.prod(np.power(shares, weights)))
        assert ours == pytest.approx(truth, rel=1e-12)


def test_sacrebleus_precisions() -> None:
    sacrebleu = pytest.importorskip("sacrebleu.metrics")
    bleu = sacrebleu.BLEU(max_ngram_order=2, smooth_method="none", tokenize="none", effective_order=False)
    some = [text for text in texts(25, 2, vocabulary=30) if len(text) > 1]
    for number, ours in enumerate(self_bleu(some)):
        rest = [" ".join(text) for text in some[:number] + some[number + 1 :]]
        first, second = bleu.sentence_score(" ".join(some[number]), rest).precisions
        assert ours == pytest.approx(math.sqrt(first * second) / 100, rel=1e-9)


@pytest.mark.parametrize("weights", [(0.5, 0.5), TRIGRAMS])
def test_auto_bleu_word_for_word(weights: Any) -> None:
    ngrams = pytest.importorskip("nltk").ngrams
    for text in texts(60, 3, vocabulary=4):
        if len(text) < len(weights):
            continue
        shares = []
        for order in range(1, len(weights) + 1):
            found = list(ngrams(text, order))
            again = 0
            for place, ngram in enumerate(found):
                rest = [*ngrams(text[:place], order), *ngrams(text[place + order :], order)]
                again += ngram in rest
            shares.append(again / len(found))
        assert auto_bleu(text, averaging="arithmetic", weights=weights) == pytest.approx(float(np.dot(weights, shares)))
        geometric = float(np.prod(np.power(shares, weights)))
        assert auto_bleu(text, averaging="geometric", weights=weights) == pytest.approx(geometric)


def test_bounds_and_order_of_texts() -> None:
    some = texts(30, 4)
    value = vert(some)
    moved = vert(some[::-1])
    assert 0 < value.value < 1
    assert (moved.self_bleu, moved.auto_bleu) == pytest.approx((value.self_bleu, value.auto_bleu), rel=1e-12)
    same = vert([["a", "b", "c", "d"]] * 5)
    assert (same.self_bleu, same.auto_bleu, same.value) == (1, 0, 0)
    loop = vert([["a", "b"] * 20] * 5)
    assert loop.value > 0.99


def test_duplicates_of_the_set_share_everything() -> None:
    some = [text for text in texts(20, 5) if len(text) > 1]
    assert self_bleu(some + some) == pytest.approx([1.0] * (2 * len(some)))
    assert vert(some + some).auto_bleu == pytest.approx(vert(some).auto_bleu)


def test_more_words_more_diversity() -> None:
    values = [vert(texts(40, 6, vocabulary=size)).value for size in (3, 10, 100, 2000)]
    assert values == sorted(values, reverse=True)


def test_what_has_no_diversity() -> None:
    with pytest.raises(ValueError, match="at least two texts, got 1"):
        vert([["a"]])
    with pytest.raises(ValueError, match="without words"):
        vert([["a"], []])
    for weights in ((), (0.5, 0.6), (1.5, -0.5)):
        with pytest.raises(ValueError, match="sum to 1"):
            vert([["a"], ["b"]], weights=weights)


def test_length_rules_of_gslm() -> None:
    seconds = {"c": 9.0, "b": 7.0, "short": 5.99, "a": 7.0, "d": 6.0, "long": 30.0}
    assert shortest_texts(seconds, take=4) == ["d", "a", "b", "c"]
    assert shortest_texts(seconds) == ["d", "a", "b", "c", "long"]
    assert [frames_kept(frames, 16000, 6.25) for frames in (200_000, 100_000, 99_999)] == [100_000, 100_000, 99_999]
