"""Paired differences against scipy's paired tests, exact counts, and laws that hold for every pair of rows."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from calm_eval.stats.bootstrap import ratio_interval
from calm_eval.stats.holm import holm
from calm_eval.stats.paired import paired_difference, smallest_p


def rows(count: int, seed: int = 1, effect: float = 0.0):
    """Two rows of word errors over the same lengths: items differ far more than rows do."""
    generator = np.random.default_rng(seed)
    words = generator.integers(5, 30, count).astype(float)
    hard = generator.random(count)
    errors = [generator.binomial(words.astype(int), np.clip(hard + extra, 0, 1)).astype(float) for extra in (effect, 0)]
    return (errors[0], words), (errors[1], words)


@pytest.mark.parametrize("count", [2, 5, 9])
def test_p_of_few_items_counts_every_assignment_of_signs(count: int) -> None:
    values, others = np.random.default_rng(count).normal(size=(2, count))
    away = values - others
    sums = [abs(sum(sign * one for sign, one in zip(signs, away, strict=True)))
            for signs in itertools.product((1, -1), repeat=count)]  # fmt: skip
    by_hand = sum(one >= abs(away.sum()) - 1e-12 for one in sums) / 2**count
    found = paired_difference((values, np.ones(count)), (others, np.ones(count)), seed=1)
    assert found is not None
    assert found.p == pytest.approx(by_hand)
    assert found.difference == pytest.approx(away.mean())


def test_p_by_hand_and_the_least_there_is() -> None:
    found = paired_difference(([2.0, 3, 4], [1.0] * 3), ([1.0, 1, 1], [1.0] * 3), seed=1)
    # 1 + 2 + 3 is the largest of the eight sums, and its mirror is as far from 0.
    assert found is not None
    assert (found.difference, found.p) == (2.0, 0.25)
    assert smallest_p(3) == 0.25
    assert smallest_p(40, 9999) == 1e-4


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_p_of_many_items_is_that_of_scipys_permutation_of_pairs(seed: int) -> None:
    generator = np.random.default_rng(seed)
    values = generator.normal(0.25, 1.0, 60)
    theirs = stats.permutation_test(
        (values, np.zeros(60)), lambda x, y, axis: (x - y).mean(axis=axis), permutation_type="samples",
        vectorized=True, n_resamples=20_000, rng=seed,
    ).pvalue  # fmt: skip
    found = paired_difference((values, np.ones(60)), (np.zeros(60), np.ones(60)), seed=seed, resamples=20_000)
    assert found is not None
    assert found.p == pytest.approx(theirs, abs=0.012)


def test_other_denominators_are_swapped_with_their_numerators() -> None:
    # Four items, by hand: all 16 ways to give each item's two (seconds, seconds) pairs to the rows.
    first, second = ([1.0, 4, 2, 6], [2.0, 5, 3, 4]), ([2.0, 1, 1, 3], [4.0, 2, 5, 6])
    far = 0
    observed = abs(13 / 14 - 7 / 17)
    for signs in itertools.product((0, 1), repeat=4):
        picked = [[(first, second)[sign][part][item] for item, sign in enumerate(signs)] for part in (0, 1)]
        rest = [[(second, first)[sign][part][item] for item, sign in enumerate(signs)] for part in (0, 1)]
        far += abs(sum(picked[0]) / sum(picked[1]) - sum(rest[0]) / sum(rest[1])) >= observed - 1e-12
    found = paired_difference(first, second, seed=1)
    assert found is not None
    assert found.difference == pytest.approx(13 / 14 - 7 / 17)
    assert found.p == pytest.approx(far / 16)


def test_interval_of_means_is_that_of_the_differences() -> None:
    values, others = np.random.default_rng(3).normal(size=(2, 40))
    ones = np.ones(40)
    found = paired_difference((values, ones), (others, ones), seed=5, resamples=40_000)
    alone = ratio_interval(values - others, ones, seed=6, resamples=40_000)
    assert found is not None
    assert alone is not None
    assert (found.low, found.high) == pytest.approx(alone, abs=0.02 * (alone[1] - alone[0]))


def test_scipys_bca_of_a_difference_of_ratios() -> None:
    (top, words), (other, _) = rows(60, effect=0.1)
    reach = stats.t.ppf(0.975, 59) * math.sqrt(60 / 59)

    def difference(one, two, below, axis=-1):
        return one.sum(axis=axis) / below.sum(axis=axis) - two.sum(axis=axis) / below.sum(axis=axis)

    theirs = stats.bootstrap(
        (top, other, words), difference, paired=True, vectorized=True, method="BCa", n_resamples=40_000,
        confidence_level=2 * stats.norm.cdf(reach) - 1, rng=1,
    ).confidence_interval  # fmt: skip
    found = paired_difference((top, words), (other, words), seed=2, resamples=40_000)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.03 * (theirs.high - theirs.low))


def test_what_the_items_share_drops_out() -> None:
    first, second = rows(60, effect=0.1)
    found = paired_difference(first, second, seed=1)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    alone = [ratio_interval(*one, seed=1) for one in (first, second)]
    assert found.high - found.low < 0.5 * min(high - low for low, high in alone if high > low)
    assert found.low > 0
    assert found.p < 0.01


def test_swapped_rows_mirror_and_order_does_not_matter() -> None:
    first, second = rows(30)
    found, mirrored = paired_difference(first, second, seed=1), paired_difference(second, first, seed=1)
    assert found is not None
    assert mirrored is not None
    assert mirrored.difference == pytest.approx(-found.difference)
    assert mirrored.p == pytest.approx(found.p, abs=0.02)
    assert (-mirrored.high, -mirrored.low) == pytest.approx(
        (found.low, found.high), abs=0.05 * (found.high - found.low)
    )
    order = np.random.default_rng(2).permutation(30)
    shuffled = [tuple(part[order] for part in one) for one in (first, second)]
    assert paired_difference(*shuffled, seed=1) == found


def test_seeds_of_an_item_go_together() -> None:
    first, second = rows(9)
    once = paired_difference(first, second, seed=1)
    twice = [tuple(np.stack([part, part], axis=1) for part in one) for one in (first, second)]
    found = paired_difference(*twice, seed=1)
    assert once is not None
    assert found is not None
    # Seeds that repeat each other are no evidence: the test still has nine items.
    assert found.p == once.p
    assert found.difference == pytest.approx(once.difference)
    assert found.n_items == 9


def test_a_seed_that_is_not_there_is_nought_over_nought() -> None:
    one = ([[1.0, 0.0], [2.0, 4.0]], [[1.0, 0.0], [1.0, 1.0]])
    other = ([[2.0, 0.0], [2.0, 1.0]], [[1.0, 0.0], [1.0, 1.0]])
    found = paired_difference(one, other, seed=1)
    assert found is not None
    assert found.difference == pytest.approx(7 / 3 - 5 / 3)


def test_rows_alike_have_no_width_and_p_one() -> None:
    first, _ = rows(20)
    found = paired_difference(first, first, seed=1)
    assert found is not None
    assert (found.difference, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_false_alarms_are_as_rare_as_promised() -> None:
    generator = np.random.default_rng(0)
    alarms = 0
    for _ in range(400):
        values, others = generator.normal(size=(2, 10))
        found = paired_difference((values, np.ones(10)), (others, np.ones(10)), seed=1, resamples=50)
        assert found is not None
        alarms += found.p <= 0.05
    # 400 tests at 5 %: 20, and 4.4 the standard deviation.
    assert 7 <= alarms <= 33


def test_too_few_items() -> None:
    assert paired_difference(([], []), ([], []), seed=1) is None
    assert paired_difference(([1.0, 2.0], [0.0, 0.0]), ([1.0, 2.0], [1.0, 1.0]), seed=1) is None
    single = paired_difference(([3.0], [1.0]), ([1.0], [1.0]), seed=1)
    assert single is not None
    assert (single.difference, single.low, single.p) == (2.0, None, None)


@pytest.mark.parametrize("bad", [([1.0], [1.0]), ([1.0, math.nan], [1.0, 1.0]), ([[[1.0]], [[1.0]]], [1.0, 1.0])])
def test_what_is_no_pair_is_told(bad) -> None:
    with pytest.raises(ValueError, match=r"alike|finite|inhomogeneous"):
        paired_difference(bad, ([1.0, 2.0], [1.0, 1.0]), seed=1)


def test_holm_by_hand() -> None:
    # 0.01 x 4, 0.02 x 3, then 0.03 x 2 and 0.04 x 1 held up to the one before.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []
    with pytest.raises(ValueError, match="probabilities"):
        holm([1.5])
