"""The delete-group jackknife against closed forms and hand calculations."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from calm_eval.stats.jackknife import both, deal, interval, jackknife


def of_groups(
    groups: list[NDArray[np.float64]], statistic: Callable[[NDArray[np.float64]], float]
) -> Callable[[Sequence[int]], float]:
    return lambda kept: statistic(np.concatenate([groups[number] for number in kept]))


@pytest.mark.parametrize("count", [2, 5, 20])
def test_the_mean_of_single_items_has_the_textbook_interval(count: int) -> None:
    values = np.random.default_rng(count).normal(3, 2, count)
    told = jackknife(of_groups([values[i : i + 1] for i in range(count)], np.mean), count)
    assert told is not None
    error = values.std(ddof=1) / math.sqrt(count)
    assert told.value == pytest.approx(values.mean(), rel=1e-12)
    assert told.corrected == pytest.approx(values.mean(), rel=1e-12)
    assert told.error == pytest.approx(error, rel=1e-12)
    low, high = stats.t.interval(0.95, count - 1, values.mean(), error)
    assert (told.low, told.high) == pytest.approx((low, high), rel=4e-3)
    assert (told.freedom, told.groups) == (count - 1, count)


@pytest.mark.parametrize("sizes", [[1] * 12, [4, 4, 4], [1, 5, 2, 3, 7], [1, 1, 10]])
def test_the_bias_of_the_maximum_likelihood_variance_is_gone(sizes: list[int]) -> None:
    # Its bias is exactly -variance / n, so with groups of one item the correction gives the unbiased variance of these
    # very numbers, and with others it does so on average.
    generator = np.random.default_rng(1)
    corrected = []
    for _ in range(800):
        groups = [generator.normal(0, 1, size) for size in sizes]
        told = jackknife(of_groups(groups, np.var), len(sizes), sizes)
        assert told is not None
        if set(sizes) == {1}:
            assert told.corrected == pytest.approx(np.concatenate(groups).var(ddof=1), rel=1e-10)
        corrected.append(told.corrected)
    assert np.mean(corrected) == pytest.approx(1.0, abs=4 * np.std(corrected) / math.sqrt(len(corrected)))


def test_three_groups_by_hand() -> None:
    # The square of the mean of 1, 2, 6: 9; without each group 16, 12.25, 2.25.
    told = jackknife(of_groups([np.array([1.0]), np.array([2.0]), np.array([6.0])], lambda x: float(x.mean()) ** 2), 3)
    assert told is not None
    assert told.value == 9
    assert told.corrected == pytest.approx(3 * 9 - 2 * (16 + 12.25 + 2.25) / 3)
    middle = 30.5 / 3
    spread = sum((value - middle) ** 2 for value in (16, 12.25, 2.25))
    assert told.error == pytest.approx(math.sqrt(2 / 3 * spread))


def test_unequal_groups_estimate_the_error_of_a_mean() -> None:
    generator = np.random.default_rng(3)
    sizes = [3, 30, 10, 5, 12, 8, 20, 2, 9, 14]
    found = []
    for _ in range(800):
        told = jackknife(of_groups([generator.normal(0, 1, size) for size in sizes], np.mean), len(sizes), sizes)
        assert told is not None
        found.append((told.value, told.error**2))
    values, variances = np.array(found).T
    assert variances.mean() == pytest.approx(1 / sum(sizes), rel=0.1)
    assert values.var() == pytest.approx(1 / sum(sizes), rel=0.2)


def test_order_of_groups_does_not_matter() -> None:
    generator = np.random.default_rng(4)
    groups = [generator.normal(0, 1, size) for size in (3, 9, 4, 7)]
    one = jackknife(of_groups(groups, np.var), 4, [3, 9, 4, 7])
    two = jackknife(of_groups(groups[::-1], np.var), 4, [7, 4, 9, 3])
    assert one is not None
    assert two is not None
    assert (one.corrected, one.error, one.low) == pytest.approx((two.corrected, two.error, two.low), rel=1e-12)


def test_one_group_has_no_interval_and_bad_sizes_are_refused() -> None:
    assert jackknife(lambda kept: 1.0, 1) is None
    for sizes in ([1.0], [1.0, 0.0], [1.0, math.nan]):
        with pytest.raises(ValueError, match="positive size"):
            jackknife(lambda kept: 1.0, 2, sizes)
    with pytest.raises(ValueError, match="not finite"):
        jackknife(lambda kept: math.nan if len(kept) == 1 else 1.0, 2)


def test_two_sets_add_their_variances_and_corrections() -> None:
    first, second = interval(5.0, 4.5, 0.3, 19, 20), interval(5.0, 4.8, 0.4, 9, 10)
    told = both(first, second)
    assert told.corrected == pytest.approx(4.3)
    assert told.error == pytest.approx(0.5)
    # Welch and Satterthwaite: 0.25^2 / (0.09^2 / 19 + 0.16^2 / 9) = 19.1
    assert told.freedom == 19
    assert told.high - told.corrected == pytest.approx(stats.t.ppf(0.975, 19) * 0.5, rel=1e-4)
    with pytest.raises(ValueError, match="one value"):
        both(first, interval(6.0, 5.8, 0.4, 9, 10))


def test_two_sets_without_any_spread() -> None:
    told = both(interval(0.0, 0.0, 0.0, 19, 20), interval(0.0, 0.0, 0.0, 4, 5))
    assert (told.low, told.high, told.freedom) == (0.0, 0.0, 4)


def test_names_are_dealt_evenly_whatever_their_order() -> None:
    names = [f"clip-{number:03d}" for number in range(105)]
    dealt = deal(names)
    assert dealt == deal(reversed(names))
    sizes = np.bincount(list(dealt.values()))
    assert len(sizes) == 20
    assert set(sizes.tolist()) == {5, 6}
    # Neighbours do not sit together, as they would if the ids themselves were dealt.
    assert [dealt[name] for name in names[:20]] != list(range(20))


def test_fewer_names_than_groups() -> None:
    assert sorted(deal(["a", "b", "c"]).values()) == [0, 1, 2]
    with pytest.raises(ValueError, match="twice"):
        deal(["a", "b", "a"])
    with pytest.raises(ValueError, match="at least one group"):
        deal(["a"], 0)
