"""Edit counts against jiwer and rapidfuzz called by hand."""

from __future__ import annotations

from collections.abc import Callable

import jiwer
import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from calm_eval.metrics.edits import Edits, count_edits, single_spaced, words


def random_pairs(number: int, seed: int) -> list[tuple[str, str]]:
    """Word strings over a small vocabulary, so that alignments are ambiguous and matches frequent."""
    generator = np.random.default_rng(seed)
    vocabulary = ["a", "ab", "b", "the", "then", "o", "ö", "two"]

    def say(low: int) -> str:
        return " ".join(generator.choice(vocabulary, size=generator.integers(low, 15)))

    return [(say(0), say(0)) for _ in range(number)]


@pytest.mark.parametrize("characters", [False, True])
def test_sum_of_edits_is_the_levenshtein_distance(characters: bool) -> None:
    for reference, hypothesis in random_pairs(600, 1):
        edits = count_edits(reference, hypothesis, characters=characters)
        split = list if characters else str.split
        assert edits.errors == Levenshtein.distance(split(reference), split(hypothesis))
        assert edits.length == len(split(reference))
        # Deleting shortens, inserting lengthens: what is left of the lengths is fixed whatever the alignment.
        assert edits.insertions - edits.deletions == len(split(hypothesis)) - len(split(reference))
        assert min(edits.substitutions, edits.deletions, edits.insertions) >= 0


def test_corpus_rate_is_jiwers_on_lists() -> None:
    pairs = [pair for pair in random_pairs(300, 2) if pair[0]]
    references, hypotheses = [list(side) for side in zip(*pairs, strict=True)]
    for characters, theirs in ((False, jiwer.wer), (True, jiwer.cer)):
        edits = [count_edits(*pair, characters=characters) for pair in pairs]
        ours = sum(one.errors for one in edits) / sum(one.length for one in edits)
        assert ours == pytest.approx(theirs(references, hypotheses), rel=1e-12)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("", "", Edits(0, 0, 0, 0)),
        ("a b c", "", Edits(0, 3, 0, 3)),
        ("", "x y z", Edits(0, 0, 3, 0)),
        ("x", "x x y y", Edits(0, 0, 3, 1)),
        ("x y x", "x z", Edits(1, 1, 0, 3)),
        ("a b c", "a b c", Edits(0, 0, 0, 3)),
    ],
)
def test_words_by_hand(reference: str, hypothesis: str, expected: Edits) -> None:
    assert count_edits(reference, hypothesis) == expected


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        ("", "", Edits(0, 0, 0, 0)),
        ("a b", "", Edits(0, 3, 0, 3)),
        ("", "a b", Edits(0, 0, 3, 0)),
        ("abc", "a bc", Edits(0, 0, 1, 3)),
        ("well known", "wellknown", Edits(0, 1, 0, 10)),
    ],
)
def test_characters_count_spaces(reference: str, hypothesis: str, expected: Edits) -> None:
    assert count_edits(reference, hypothesis, characters=True) == expected


@pytest.mark.parametrize(
    ("rate", "reference", "hypothesis", "truth"),
    [
        (jiwer.wer, "a b c", "", 1.0),
        # Before jiwer 4 the next three raised ValueError. Now an empty reference costs a count and not a rate.
        (jiwer.wer, "", "", 0),
        (jiwer.wer, "", "x y z", 3),
        (jiwer.wer, ["a b", ""], ["a b", "x"], 0.5),
        (jiwer.wer, "X Y X", "X Z", 2 / 3),
        (jiwer.wer, "X", "X X Y Y", 3.0),
        (jiwer.wer, ["a b c d", "e"], ["a b c d", "f"], 0.2),
        (jiwer.wer, "Hello, world", "hello world", 0.5),
        (jiwer.cer, "abc", "a bc", 1 / 3),
        (jiwer.cer, "a  b", "a b", 0.25),
    ],
)
def test_what_the_installed_jiwer_says(
    rate: Callable[..., float], reference: str, hypothesis: str, truth: float
) -> None:
    assert rate(reference, hypothesis) == pytest.approx(truth, rel=1e-15)


def test_the_same_cases_here_stay_counts() -> None:
    # What jiwer 4 calls a rate of 3 is three insertions over no word, which a corpus rate can add up and a mean cannot.
    assert count_edits("", "x y z") == Edits(0, 0, 3, 0)
    both = count_edits("a b", "a b") + count_edits("", "x")
    assert (both.errors, both.length) == (1, 2)
    both = count_edits("a b c d", "a b c d") + count_edits("e", "f")
    assert both.errors / both.length == 0.2


def test_cer_counts_single_spaces_and_no_others() -> None:
    assert count_edits("a  b", "a b", characters=True) == Edits(0, 0, 0, 3)
    assert count_edits(" thank you ", "thank\tyou", characters=True) == Edits(0, 0, 0, 9)
    assert count_edits("thank you", "thankyou", characters=True) == Edits(0, 1, 0, 9)
    assert single_spaced("  a \n b\u00a0c ") == "a b c"


def test_words_are_the_ones_that_jiwer_counts() -> None:
    for text in ("a b", " a  b ", "a\tb", "a \t b", "a\u00a0b c", "\n", "a\n\nb", "a - b", ""):
        found = jiwer.process_words(text, "x") if text.strip() else None
        assert words(text) == (found.references[0] if found else [])
    assert words("a\tb") == ["a\tb"]


def test_an_empty_hypothesis_is_known_from_the_counts() -> None:
    for reference, hypothesis in random_pairs(400, 6):
        assert count_edits(reference, hypothesis).empty_hypothesis == (hypothesis == "")


def test_jiwers_own_long_example() -> None:
    edits = count_edits("i am a short ground truth", "i am a considerably longer and very much incorrect hypothesis")
    assert (edits.errors, edits.length) == (7, 6)


def test_swapping_sides_swaps_deletions_and_insertions_in_sum() -> None:
    for reference, hypothesis in random_pairs(200, 3):
        forth, back = count_edits(reference, hypothesis), count_edits(hypothesis, reference)
        assert forth.errors == back.errors
        assert forth.insertions - forth.deletions == back.deletions - back.insertions
