"""The n-gram model by hand, against nltk's recursion, its total probability, and the grammar that it learns."""

from __future__ import annotations

import itertools
import json
import math
import re
from typing import Any

import numpy as np
import pytest

from calm_eval.data import grammar
from calm_eval.data.speech_corpus import SpeechCorpus
from calm_eval.metrics.ngram import END, START, UNKNOWN, NgramModel, mini_model, sentences_of
from calm_eval.metrics.perplexity import ngram_score, perplexity


def sentences(count: int, seed: int, vocabulary: int = 7) -> list[list[str]]:
    generator = np.random.default_rng(seed)
    return [
        [f"w{word}" for word in generator.geometric(0.4, generator.integers(0, 9)) % vocabulary] for _ in range(count)
    ]


def test_two_sentences_by_hand() -> None:
    model = NgramModel.fit([["a", "b"], ["a", "c"]], order=2)
    # Six tokens of four kinds (a a b c </s> </s>), five words with <unk>.
    of_b, of_unknown = (1 + 4 / 5) / (6 + 4), (4 / 5) / (6 + 4)
    assert model.probability("b") == pytest.approx(of_b)
    assert model.probability("never") == model.probability(UNKNOWN) == pytest.approx(of_unknown)
    # After a: two tokens of two kinds. After <s>: a, twice.
    assert model.probability("b", ["a"]) == pytest.approx((1 + 2 * of_b) / 4)
    assert model.probability("a", [START]) == pytest.approx((2 + 1 * (2 + 4 / 5) / 10) / 3)
    assert model.probability("b", ["never"]) == pytest.approx(of_b)
    assert model.probability("b", ["c", "whatever", "a"]) == model.probability("b", ["a"])
    nll, tokens, unknown = model.score([["a", "x"]])
    truth = [model.probability("a", [START]), model.probability("x", ["a"]), model.probability(END, ["x"])]
    assert nll == pytest.approx(-math.log(math.prod(truth)))
    assert (tokens, unknown) == (3, 1)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("least", [1, 3])
def test_probabilities_sum_to_one_after_any_history(order: int, least: int) -> None:
    model = NgramModel.fit(sentences(60, 1), order=order, least=least)
    generator = np.random.default_rng(1)
    for _ in range(100):
        history = list(generator.choice([*list(model.words)[:4], START, UNKNOWN, "never"], size=order))
        shares = [model.probability(word, history) for word in model.words]
        assert math.fsum(shares) == pytest.approx(1.0, abs=1e-12)
        assert min(shares) > 0


@pytest.mark.parametrize("order", [2, 3])
def test_nltks_recursion_above_the_unigrams(order: int) -> None:
    models = pytest.importorskip("nltk.lm.models")
    vocabulary = pytest.importorskip("nltk.lm").Vocabulary
    some = sentences(80, 2)
    ours = NgramModel.fit(some, order=order)
    padded = [[START] * (order - 1) + one + [END] for one in some]
    # nltk counts whatever n-grams it is given; these are the predicted ones, without any that ends in <s>.
    windows = [
        [tuple(one[end - length : end]) for end in range(order, len(one) + 1) for length in range(1, order + 1)]
        for one in padded
    ]
    theirs = models.WittenBellInterpolated(order, vocabulary=vocabulary([START, *ours.words], unk_label=UNKNOWN))
    theirs.fit(windows)
    theirs.estimator.unigram_score = ours.probability  # nltk stops at plain counts, without the uniform share
    words = [word for word in ours.words if word != UNKNOWN]
    for history in itertools.product([*words[:5], START], repeat=order - 1):
        for word in words:
            assert ours.probability(word, history) == pytest.approx(theirs.unmasked_score(word, history), rel=1e-12)


def test_what_was_seen_is_likely_and_order_of_sentences_is_nothing() -> None:
    some = sentences(200, 3)
    model = NgramModel.fit(some)
    own = model.score(some)
    other = model.score(sentences(200, 4, vocabulary=50))
    assert own[0] / own[1] < other[0] / other[1]
    assert other[2] > 0 == own[2]
    again = NgramModel.fit(some[::-1])
    assert again.identity == model.identity
    assert again.score(some) == own
    assert model.score(some[::-1])[0] == pytest.approx(own[0], rel=1e-12)
    assert model.score([[]]) == (pytest.approx(-math.log(model.probability(END, [START, START]))), 1, 0)


def test_rare_words_of_the_training_are_unknown() -> None:
    model = NgramModel.fit([["a", "a", "b"], ["a", "c"]], order=1, least=2)
    assert model.words == ("a", END, UNKNOWN)
    # Seven tokens of three kinds over three words: a three times, </s> and <unk> twice.
    assert [model.probability(word) for word in ("a", "b", "new", END)] == pytest.approx([0.4, 0.3, 0.3, 0.3])
    assert model.score([["b", "new", "a"]])[2] == 2


def test_reserved_words_of_a_text_are_unknown() -> None:
    model = NgramModel.fit([["a", START, END, "b"]], order=2)
    assert model.vocabulary == {"a", "b"}
    assert model.score([[START, END, UNKNOWN, "a"]])[1:] == (5, 3)
    with pytest.raises(ValueError, match="never predicted"):
        model.probability(START)


def test_text_form_and_identity() -> None:
    some = sentences(50, 5)
    model = NgramModel.fit(some)
    again = NgramModel.from_json(model.to_json())
    assert again.identity == model.identity
    assert again.score(some) == model.score(some)
    others = [
        NgramModel.fit(some, order=2),
        NgramModel.fit([*some, some[0]]),
        NgramModel.fit(some, least=20),
        NgramModel(3, {*model.vocabulary, "more"}, json_counts(model)),
    ]
    assert len({model.identity, *(other.identity for other in others)}) == 5


def json_counts(model: NgramModel) -> dict[tuple[str, ...], int]:
    return {tuple(row[:-1]): row[-1] for row in json.loads(model.to_json())["counts"]}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"smoothing": "Kneser-Ney"}, "'Kneser-Ney' is not known"),
        ({"order": 0}, "order is at least 1"),
        ({"order": 2}, "no n-gram of order 2"),
        ({"vocabulary": []}, "of the vocabulary"),
        ({"counts": [["a", "b", "a", 0]]}, "counted 0 times"),
        ({"counts": [3]}, "not an n-gram model"),
        ({"vocabulary": 3}, "not an n-gram model"),
    ],
)
def test_text_that_is_no_model(changes: dict[str, Any], told: str) -> None:
    plain = json.loads(NgramModel.fit([["a", "b"]]).to_json())
    with pytest.raises(ValueError, match=told):
        NgramModel.from_json(json.dumps({**plain, **changes}))
    for text in ("[]", "{}", "nothing"):
        with pytest.raises(ValueError):  # noqa: PT011
            NgramModel.from_json(text)
    with pytest.raises(ValueError, match="at least one sentence"):
        NgramModel.fit([])


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("Anna found twelve lamps. Did she?  Yes!", [["anna", "found", "12", "lamps"], ["did", "she"], ["yes"]]),
        ("anna found 12 lamps", [["anna", "found", "12", "lamps"]]),
        ("Version 3.5 is out.", [["version", "3.5", "is", "out"]]),
        ("", [[]]),
        (" ... ?! ", [[]]),
        ("[music] Hello.", [["hello"]]),
    ],
)
def test_sentences_of_a_text(text: str, truth: list[list[str]]) -> None:
    assert sentences_of(text) == truth


def test_mini_model_comes_near_the_grammar_itself() -> None:
    model = mini_model()
    counts = json_counts(model)
    plan = SpeechCorpus().plan()
    assert sum(count for ngram, count in counts.items() if ngram[-1] == END) == sum(row[0] == "train" for row in plan)
    held_out = [text for split, _, text in plan if split == "test"][:200]
    scores = [ngram_score(model, text) for text in held_out]
    assert sum(score.unknown for score in scores) == 0
    # What the grammar itself gives a sentence: one of its patterns, then a word for each slot. No model can be better.
    truth = sum(
        math.log(len(grammar.PATTERNS)) + sum(math.log(len(grammar.fillers(slot))) for slot in slots_of(text))
        for text in held_out
    )
    assert truth < sum(score.nll for score in scores) < 1.5 * truth
    shuffled = [" ".join(np.random.default_rng(1).permutation(text.rstrip(".?").split())) for text in held_out]
    disorder = perplexity([ngram_score(model, text) for text in shuffled])
    assert disorder.corpus > 5 * perplexity(scores).corpus
    foreign = ngram_score(model, "Quarks interfere. Anna bought twelve apples.")
    assert (foreign.unknown, foreign.tokens) == (2, 3 + 5)


def slots_of(text: str) -> list[str]:
    """The slots of the one pattern that makes a sentence."""
    for pattern in grammar.PATTERNS:
        slots = re.findall(r"\{(\w+)\}", pattern)
        fixed = re.sub(r"\b([Aa]) ", r"\1n? ", re.escape(pattern).replace(r"\ ", " "))
        expression = re.sub(r"\\\{(\w+)\\\}", lambda slot: f"({'|'.join(grammar.fillers(slot[1]))})", fixed)
        if re.fullmatch(expression, text):
            return slots
    raise AssertionError(text)
