"""Errors by position: the parts sum to the whole, and what is said after the end is not lost."""

from __future__ import annotations

import functools
import itertools
import operator

import jiwer
import numpy as np
import pytest

from calm_eval.metrics.drift_words import error_curve, errors_by_position
from calm_eval.metrics.edits import Edits, count_edits


def total(parts: list[Edits]) -> Edits:
    return functools.reduce(operator.add, parts)


def random_pairs(number: int) -> list[tuple[str, str]]:
    generator = np.random.default_rng(4)
    return [
        tuple(" ".join(generator.choice(list("abcde"), size=generator.integers(0, 40))) for _ in range(2))
        for _ in range(number)
    ]


@pytest.mark.parametrize("parts", [1, 3, 10, 25])
def test_parts_sum_to_the_whole(parts: int) -> None:
    for pair in random_pairs(200):
        assert total(errors_by_position(*pair, parts)) == count_edits(*pair)


def quantiles_as_published(reference: str, hypothesis: str, quantiles: list[float]) -> list[float]:
    """The recipe of tts_longeval: errors at reference places below each bound; a tail's place is the length itself."""
    places: list[int] = []
    for chunk in jiwer.process_words(reference, hypothesis).alignments[0]:
        if chunk.type == "insert":
            places += [chunk.ref_start_idx] * (chunk.hyp_end_idx - chunk.hyp_start_idx)
        elif chunk.type != "equal":
            places += range(chunk.ref_start_idx, chunk.ref_end_idx)
    bounds = [0, *(int(one * len(reference.split())) for one in quantiles)]
    return [
        sum(low <= place < high for place in places) / max(1, high - low) for low, high in itertools.pairwise(bounds)
    ]


def test_a_tail_is_seen_where_the_published_quantiles_lose_it() -> None:
    reference, hypothesis = "a b c d e f g h", "a b c d e f g h x y z"
    assert jiwer.wer(reference, hypothesis) == 3 / 8
    assert quantiles_as_published(reference, hypothesis, [0.25, 0.5, 0.75, 1.0]) == [0, 0, 0, 0]
    assert error_curve([errors_by_position(reference, hypothesis, 4)]) == [0, 0, 0, 3 / 2]


def test_without_a_tail_the_two_agree() -> None:
    for pair in random_pairs(200):
        # A last word that both texts share leaves no tail.
        reference, hypothesis = [f"{text} end".strip() for text in pair]
        size = len(reference.split())
        if size % 4:
            continue
        curve = error_curve([errors_by_position(reference, hypothesis, 4)])
        assert curve == quantiles_as_published(reference, hypothesis, [0.25, 0.5, 0.75, 1.0])


def test_by_hand() -> None:
    # Two words a part: one substituted, one deleted, two inserted before f, all right, one inserted at the end.
    reference = "a b c d e f g h i j"
    hypothesis = "x b d e 1 2 f g h i j 3"
    truth = [Edits(1, 0, 0, 2), Edits(0, 1, 0, 2), Edits(0, 0, 2, 2), Edits(0, 0, 0, 2), Edits(0, 0, 1, 2)]
    assert errors_by_position(reference, hypothesis, 5) == truth
    assert error_curve([truth]) == [0.5, 0.5, 1.0, 0.0, 0.5]


@pytest.mark.parametrize(
    ("reference", "hypothesis", "truth"),
    [
        ("", "", [Edits(0, 0, 0, 0)] * 3),
        ("", "x y", [Edits(0, 0, 0, 0)] * 2 + [Edits(0, 0, 2, 0)]),
        ("a b c", "", [Edits(0, 1, 0, 1)] * 3),
        ("a", "b", [Edits(1, 0, 0, 1), Edits(0, 0, 0, 0), Edits(0, 0, 0, 0)]),
        ("a", "a b", [Edits(0, 0, 0, 1), Edits(0, 0, 0, 0), Edits(0, 0, 1, 0)]),
    ],
)
def test_short_texts(reference: str, hypothesis: str, truth: list[Edits]) -> None:
    assert errors_by_position(reference, hypothesis, 3) == truth


def test_lengths_differ_by_at_most_one_word() -> None:
    for size in range(1, 60):
        lengths = [part.length for part in errors_by_position(" ".join("a" * size), "a", 10)]
        assert sum(lengths) == size
        assert max(lengths) - min(lengths) <= 1


def test_curve_weighs_words_alike() -> None:
    items = [errors_by_position("a b", "a x", 2), errors_by_position("a b c d", "a b c d", 2)]
    assert error_curve(items) == [0.0, 1 / 3]
    assert error_curve(items * 3) == error_curve(items[::-1]) == error_curve(items)
    assert error_curve([errors_by_position("a", "a", 2)]) == [0.0, None]
    with pytest.raises(ValueError, match="zip"):
        error_curve([errors_by_position("a", "a", 2), errors_by_position("a", "a", 3)])
    with pytest.raises(ValueError, match="part"):
        errors_by_position("a", "a", 0)
