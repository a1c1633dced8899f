"""How many would decide: closed forms, and repetitions of a suite of the size that was asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from calm_eval.gate.enough import (
    Noise,
    items_for_power,
    items_to_decide,
    noise_between_runs,
    noise_of_pairs,
    seeds_to_decide,
    smallest_margin,
)
from calm_eval.stats.loss import Loss, paired_loss

Z95 = 1.6448536269514722


def found(value, error=0.1, items=100) -> Loss:
    return Loss(value, value - Z95 * error, value + Z95 * error, 0.5, error, items, 0.95)


def test_below_the_margin_the_upper_bound_has_to_fall_below_it() -> None:
    """Loss 0.4, margin 0.5, error 0.1 over 100 items: 1.645 / sqrt(n) must fit into 0.1."""
    assert items_to_decide(found(0.4), 0.5) == math.ceil((Z95 * 0.1 * 10 / 0.1) ** 2) == 271


def test_from_the_margin_on_the_lower_bound_has_to_rise_above_0() -> None:
    assert items_to_decide(found(0.6, error=0.5), 0.5) == math.ceil((Z95 * 0.5 * 10 / 0.6) ** 2) == 188


def test_a_loss_at_the_margin_is_never_decided() -> None:
    assert items_to_decide(found(0.5), 0.5) is None
    assert seeds_to_decide(found(0.5), 0.5, Noise(0.1, 1.0)) is None


def test_seeds_help_only_against_their_own_noise() -> None:
    """100 items: 100 (0.1 / 1.645)^2 = 0.3696 of variance is allowed; 0.09 of it is the items', so 1 / 0.2796 seeds."""
    assert seeds_to_decide(found(0.4), 0.5, Noise(0.3, 1.0)) == math.ceil(1 / (100 * (0.1 / Z95) ** 2 - 0.09)) == 4
    assert seeds_to_decide(found(0.4), 0.5, Noise(0.7, 1.0)) is None
    assert seeds_to_decide(found(0.4), 0.5, Noise(0.3, 0.0, known=False)) is None


@pytest.mark.parametrize(("margin", "seeds"), [(0.05, 1), (0.2, 3), (0.31, 2)])
def test_the_least_number_of_items_holds_the_margin_and_one_less_does_not(margin, seeds) -> None:
    noise = Noise(0.2, 0.9)
    items = items_for_power(noise, margin, seeds, alpha=0.05)
    assert (
        smallest_margin(noise, items, seeds, alpha=0.05)
        <= margin
        < smallest_margin(noise, items - 1, seeds, alpha=0.05)
    )


def test_large_suites_need_the_textbook_number() -> None:
    """(1.645 + 0.842)^2 s^2 / margin^2 items, one-sided."""
    assert items_for_power(Noise(0.0, 1.0), 0.01, 1, alpha=0.05) == pytest.approx(
        (Z95 + 0.8416212) ** 2 / 0.0001, rel=1e-3
    )
    assert items_for_power(Noise(0.0, 1.0), 1e-4, 1, alpha=0.05) is None
    assert items_for_power(Noise(0.0, 0.0), 0.1, 1, alpha=0.05) == 2


def test_the_noise_of_two_seeds_is_twice_the_variance_within_items() -> None:
    """Seeds at plus and minus 0.3 around each item: variance 0.18, of a difference of two runs 0.36."""
    middle = np.arange(10.0)[:, None]
    noise = noise_between_runs(middle + np.array([[0.3, -0.3]]), np.ones((10, 2)))
    assert noise == Noise(0.0, pytest.approx(0.6))


def test_with_one_seed_the_spread_of_items_stands_for_it() -> None:
    noise = noise_between_runs(np.arange(10.0)[:, None], np.ones((10, 1)))
    assert noise == Noise(0.0, pytest.approx(math.sqrt(2 * np.var(np.arange(10.0), ddof=1))), known=False)
    assert noise_between_runs([[1.0]], [[1.0]]) is None
    assert noise_between_runs([[1.0], [2.0]], [[0.0], [0.0]]) is None


def test_a_seed_without_a_value_is_left_out() -> None:
    middle = np.arange(10.0)[:, None]
    top, bottom = middle + np.array([[0.3, -0.3, 0.0]]), np.ones((10, 3))
    top[:, 2], bottom[:, 2] = 0.0, 0.0
    assert noise_between_runs(top, bottom).seeds == pytest.approx(0.6)


def test_the_noise_of_pairs_has_the_error_of_the_loss() -> None:
    """Between items and within, put together again for the seeds that there are: the jackknife's error."""
    generator = np.random.default_rng(6)
    ones = np.ones((200, 3))
    rows = [(generator.normal(size=(200, 1)) * 2 + generator.normal(size=(200, 3)), ones) for _ in range(2)]
    noise = noise_of_pairs(*rows)
    error = paired_loss(*rows, higher_is_better=False, alpha=0.05, seed=1).error
    assert noise.error(200, 3) == pytest.approx(error, rel=0.01)
    assert noise.seeds == pytest.approx(math.sqrt(2), rel=0.1)
    assert noise.items == pytest.approx(math.sqrt(8), rel=0.15)


def test_a_suite_of_the_size_that_was_asked_for_passes_four_of_five_times() -> None:
    """300 worlds without a loss: 0.8, give or take 2.6 standard errors."""
    generator = np.random.default_rng(8)
    margin = 0.25
    items = items_for_power(Noise(0.0, math.sqrt(2.0)), margin, 1, alpha=0.05)
    ones, passed = np.ones(items), 0
    for world in range(300):
        first, second = generator.normal(size=(2, items))
        loss = paired_loss((first, ones), (second, ones), higher_is_better=False, alpha=0.05, seed=world, resamples=999)
        passed += loss.high < margin
    assert 0.8 - 0.06 <= passed / 300 <= 0.8 + 0.06
