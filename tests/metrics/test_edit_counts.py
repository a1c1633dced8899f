"""Edit counts against jiwer and rapidfuzz called by hand."""

from __future__ import annotations

import jiwer
import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from calm_eval.metrics.word_error_rate import Edits, count_edits


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


def test_jiwers_own_long_example() -> None:
    edits = count_edits("i am a short ground truth", "i am a considerably longer and very much incorrect hypothesis")
    assert (edits.errors, edits.length) == (7, 6)


def test_swapping_sides_swaps_deletions_and_insertions_in_sum() -> None:
    for reference, hypothesis in random_pairs(200, 3):
        forth, back = count_edits(reference, hypothesis), count_edits(hypothesis, reference)
        assert forth.errors == back.errors
        assert forth.insertions - forth.deletions == back.deletions - back.insertions
