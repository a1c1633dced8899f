"""The item bootstrap against scipy, closed forms, and laws that hold for every sample."""

from __future__ import annotations

import math
import runpy
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from calm_eval.stats.bootstrap import ratio_interval

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


def word_errors(count: int, seed: int = 1, perfect: float = 0.7) -> Pair:
    generator = np.random.default_rng(seed)
    words = generator.integers(4, 30, count)
    errors = np.where(generator.random(count) < perfect, 0, generator.binomial(words, 0.25))
    return errors.astype(np.float64), words.astype(np.float64)


def ratio(top: NDArray[np.float64], bottom: NDArray[np.float64], axis: int = -1) -> NDArray[np.float64]:
    return top.sum(axis=axis) / bottom.sum(axis=axis)


def width(interval: tuple[float, float] | None) -> float:
    assert interval is not None
    return interval[1] - interval[0]


@pytest.mark.parametrize("count", [20, 40, 200])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_scipys_bca_at_the_widened_level(count: int, seed: int) -> None:
    top, bottom = word_errors(count, seed)
    # Hesterberg's widening by itself: the level whose normal quantile is t * sqrt(n / (n - 1)).
    reach = stats.t.ppf(0.975, count - 1) * math.sqrt(count / (count - 1))
    theirs = stats.bootstrap(
        (top, bottom), ratio, paired=True, vectorized=True, method="BCa", n_resamples=40_000,
        confidence_level=2 * stats.norm.cdf(reach) - 1, rng=seed,
    ).confidence_interval  # fmt: skip
    ours = ratio_interval(top, bottom, seed=7, resamples=40_000)
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.03 * (theirs.high - theirs.low))


def test_scipys_percentiles_where_nothing_is_skewed_and_items_are_many() -> None:
    generator = np.random.default_rng(4)
    bottom = generator.integers(10, 20, 600).astype(np.float64)
    top = bottom * generator.normal(1.0, 0.2, 600)
    theirs = stats.bootstrap(
        (top, bottom), ratio, paired=True, vectorized=True, method="percentile", n_resamples=20_000, rng=1
    ).confidence_interval
    ours = ratio_interval(top, bottom, seed=1, resamples=20_000)
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.04 * (theirs.high - theirs.low))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_delta_method_error_of_a_ratio(seed: int) -> None:
    top, bottom = word_errors(1127, seed)
    left = top - ratio(top, bottom) * bottom
    error = left.std(ddof=1) / math.sqrt(len(top)) / bottom.mean()
    assert width(ratio_interval(top, bottom, seed=1)) == pytest.approx(2 * 1.96 * error, rel=0.04)
    # Errors of one item belong together; drawing words one by one would promise far too much.
    wer = float(ratio(top, bottom))
    assert 2 * 1.96 * math.sqrt(wer * (1 - wer) / bottom.sum()) < 0.75 * 2 * 1.96 * error


@pytest.mark.parametrize("count", [20, 200])
def test_mean_of_normal_values_has_the_t_interval(count: int) -> None:
    values = np.random.default_rng(5).normal(3.0, 0.5, count)
    low, high = stats.t.interval(0.95, count - 1, loc=values.mean(), scale=stats.sem(values))
    ours = ratio_interval(values, np.ones(count), seed=1, resamples=40_000)
    # Resampled means of 20 have lighter tails than t; their skew moves both ends a little.
    assert ours == pytest.approx((low, high), abs=0.05 * (high - low))


def test_scale_and_shift() -> None:
    top, bottom = word_errors(40)
    low, high = ratio_interval(top, bottom, seed=1) or (0, 0)
    assert ratio_interval(8 * top, bottom, seed=1) == pytest.approx((8 * low, 8 * high), rel=1e-12)
    assert ratio_interval(100 * top, 3 * bottom, seed=1) == pytest.approx((100 * low / 3, 100 * high / 3), rel=1e-9)
    assert ratio_interval(top + 5 * bottom, bottom, seed=1)[1] - 5 == pytest.approx(high, rel=0.05)
    ones = np.ones(40)
    low, high = ratio_interval(top, ones, seed=1) or (0, 0)
    assert ratio_interval(top + 7, ones, seed=1) == pytest.approx((low + 7, high + 7), rel=1e-9)


def test_mirror_of_the_values_mirrors_the_interval() -> None:
    values, ones = word_errors(40)[0], np.ones(40)
    low, high = ratio_interval(values, ones, seed=1, resamples=40_000) or (0, 0)
    mirrored = ratio_interval(-values, ones, seed=1, resamples=40_000)
    assert mirrored == pytest.approx((-high, -low), abs=0.02 * (high - low))


def test_level_and_number_of_items_set_the_width() -> None:
    top, bottom = word_errors(300)
    usual = width(ratio_interval(top, bottom, seed=1))
    assert width(ratio_interval(top, bottom, seed=1, level=0.99)) == pytest.approx(usual * 2.576 / 1.96, rel=0.08)
    four_times = width(ratio_interval(np.tile(top, 4), np.tile(bottom, 4), seed=1))
    assert four_times == pytest.approx(usual / 2, rel=0.05)


def test_order_of_items_does_not_matter() -> None:
    top, bottom = word_errors(64)
    order = np.random.default_rng(9).permutation(64)
    assert ratio_interval(top[order], bottom[order], seed=1) == ratio_interval(top, bottom, seed=1)


def test_errors_and_lengths_are_drawn_together() -> None:
    # Every item has the same rate, whatever its length: nothing can vary unless the pairs are torn apart.
    bottom = np.array([1.0, 50.0, 3.0, 20.0, 7.0])
    low, high = ratio_interval(bottom * 0.3, bottom, seed=1) or (0, 1)
    assert low == high == pytest.approx(0.3)


def test_one_seed_one_interval() -> None:
    top, bottom = word_errors(40)
    assert ratio_interval(top, bottom, seed=1) == ratio_interval(list(top), list(bottom), seed=1)
    assert ratio_interval(top, bottom, seed=1) != ratio_interval(top, bottom, seed=2)


def test_interval_does_not_depend_on_how_the_work_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    top, bottom = word_errors(40)
    whole = ratio_interval(top, bottom, seed=1)
    monkeypatch.setattr("calm_eval.stats.bootstrap._CHUNK", 4000)
    assert ratio_interval(top, bottom, seed=1) == whole


@pytest.mark.parametrize(
    ("top", "bottom"), [([], []), ([1.0], [4.0]), ([0.0, 0.0], [0.0, 0.0]), ([2.0, 1.0, 5.0], [0.0, 0.0, 0.0])]
)
def test_no_interval(top: list[float], bottom: list[float]) -> None:
    assert ratio_interval(top, bottom, seed=1) is None


@pytest.mark.parametrize(
    ("top", "bottom", "truth"),
    [
        ([0.0] * 40, [10.0] * 40, 0.0),
        ([7.0, 3.0, 9.0], [7.0, 3.0, 9.0], 1.0),
        ([0.1] * 7, [1.0] * 7, 0.1),
        ([0.7] * 1001, [1.0] * 1001, 0.7),
        ([1.0, 0.0], [5.0, 0.0], 0.2),
    ],
)
def test_nothing_varies_no_width(top: list[float], bottom: list[float], truth: float) -> None:
    low, high = ratio_interval(top, bottom, seed=1) or (0, 1)
    assert low == high == pytest.approx(truth, rel=1e-12)


def test_items_without_words_only_add_errors() -> None:
    top, bottom = np.array([1.0, 0, 2, 0, 3, 0, 0, 1]), np.array([10.0, 8, 12, 9, 0, 11, 7, 10])
    low, high = ratio_interval(top, bottom, seed=1) or (0, 0)
    assert 0 <= low < ratio(top, bottom) < high
    assert math.isfinite(high)


@pytest.mark.parametrize("count", [2, 3, 5, 20])
def test_stays_inside_the_items(count: int) -> None:
    for seed in range(20):
        top, bottom = word_errors(count, seed, perfect=0.5)
        low, high = ratio_interval(top, bottom, seed=1, resamples=500) or (0, 0)
        assert (top / bottom).min() - 1e-12 <= low <= ratio(top, bottom) + 1e-12
        assert ratio(top, bottom) - 1e-12 <= high <= (top / bottom).max() + 1e-12


@pytest.mark.parametrize(
    ("top", "bottom"), [([1.0, 2.0], [1.0]), ([[[1.0], [2.0]]], [[[1.0], [1.0]]]), ([1.0, math.nan], [1.0, 1.0]),
                        ([1.0, 2.0], [1.0, math.inf])],
)  # fmt: skip
def test_what_is_no_sample_is_told(top: list[float], bottom: list[float]) -> None:
    with pytest.raises(ValueError, match="denominator"):
        ratio_interval(top, bottom, seed=1)


def test_memory_and_time_with_many_items() -> None:
    top, bottom = word_errors(20_000)
    tracemalloc.start()
    began = time.perf_counter()
    try:
        interval = ratio_interval(top, bottom, seed=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 0 < width(interval) < 0.01
    assert peak < 300e6
    assert time.perf_counter() - began < 30


@pytest.mark.slow
def test_covers_better_than_percentiles_where_most_items_are_perfect() -> None:
    benchmark = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "bootstrap_coverage.py"))
    draw, intervals = benchmark["mostly_perfect"], benchmark["intervals"]
    generator = np.random.default_rng(11)
    truth = float(ratio(*draw(generator, 2_000_000)))
    held = {"percentile": 0, "BCa, widened (ours)": 0}
    for number in range(600):
        found = intervals(*draw(generator, 40), number)
        for name in held:
            held[name] += found[name][0] <= truth <= found[name][1]
    # The same samples for both; committed table: 81 against 85 %.
    assert held["BCa, widened (ours)"] > held["percentile"] + 0.02 * 600
    assert held["BCa, widened (ours)"] > 0.80 * 600


def test_seeds_are_drawn_inside_their_items() -> None:
    generator = np.random.default_rng(8)
    items, seeds = 60, 3
    values = generator.normal(0.0, 0.5, (items, 1)) + generator.normal(0.0, 1.0, (items, seeds))
    found = ratio_interval(values, np.ones_like(values), seed=1, resamples=40_000)
    # Variance of the mean when items are drawn, then seeds: between items over n, and within them over n times S.
    error = math.sqrt(values.mean(axis=1).var() / items + values.var(axis=1).mean() / (items * seeds))
    reach = stats.t.ppf(0.975, items - 1) * math.sqrt(items / (items - 1))
    assert width(found) == pytest.approx(2 * reach * error, rel=0.03)
    items_alone = ratio_interval(values.sum(axis=1), np.full(items, float(seeds)), seed=1, resamples=40_000)
    assert width(items_alone) == pytest.approx(2 * reach * math.sqrt(values.mean(axis=1).var() / items), rel=0.03)


def test_the_order_of_seeds_and_items_does_not_matter_and_one_seed_is_none() -> None:
    top, bottom = word_errors(30)
    tops, bottoms = np.stack([top, top[::-1]], axis=1), np.stack([bottom, bottom[::-1]], axis=1)
    mixed = np.random.default_rng(0).permutation(30)
    swapped = ratio_interval(tops[mixed][:, ::-1], bottoms[mixed][:, ::-1], seed=3)
    assert ratio_interval(tops, bottoms, seed=3) == swapped
    assert ratio_interval(top[:, None], bottom[:, None], seed=3) == ratio_interval(top, bottom, seed=3)


def test_seeds_that_are_alike_add_nothing() -> None:
    top, bottom = word_errors(40)
    twice = ratio_interval(np.stack([top, top], axis=1), np.stack([bottom, bottom], axis=1), seed=3, resamples=40_000)
    once = ratio_interval(top, bottom, seed=3, resamples=40_000)
    assert twice == pytest.approx(once, abs=0.02 * width(once))
