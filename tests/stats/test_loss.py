"""The loss of a candidate: its direction, its bounds and its error, against closed forms and the paired test."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.stats.loss import paired_error, paired_loss
from calm_eval.stats.paired import paired_difference


@pytest.fixture
def rows():
    """Two rows of 30 ratios over the same denominators."""
    generator = np.random.default_rng(11)
    bottom = generator.integers(5, 15, size=30).astype(float)
    return (generator.poisson(2.0, 30) + 1.0, bottom), (generator.poisson(2.0, 30).astype(float), bottom)


def test_more_errors_are_a_loss_and_more_likeness_is_none(rows) -> None:
    worse, better = rows
    found = paired_loss(worse, better, higher_is_better=False, alpha=0.05, seed=1)
    mirrored = paired_loss(better, worse, higher_is_better=True, alpha=0.05, seed=1)
    assert found == mirrored
    assert found.loss == pytest.approx(worse[0].sum() / worse[1].sum() - better[0].sum() / better[1].sum())
    gain = paired_loss(worse, better, higher_is_better=True, alpha=0.05, seed=1)
    assert gain.loss == pytest.approx(-found.loss)
    assert gain.p == 1.0


def test_its_bounds_are_the_ends_of_the_interval_of_twice_alpha(rows) -> None:
    found = paired_loss(*rows, higher_is_better=False, alpha=0.05, seed=4)
    both = paired_difference(*rows, seed=4, level=0.90)
    assert (found.low, found.high, found.level) == (both.low, both.high, 0.95)
    assert found.p == both.p / 2


def test_of_eight_losses_alike_one_assignment_in_256_is_as_large() -> None:
    ones = np.ones(8)
    found = paired_loss((ones, ones), (0 * ones, ones), higher_is_better=False, alpha=0.05, seed=1)
    assert found.p == pytest.approx(1 / 2**8)
    assert (found.loss, found.low, found.high) == (1.0, 1.0, 1.0)


def test_the_error_of_means_is_the_textbook_form() -> None:
    first, second = np.random.default_rng(3).normal(size=(2, 40))
    wanted = np.std(first - second, ddof=1) / np.sqrt(40)
    assert paired_error((first, np.ones(40)), (second, np.ones(40))) == pytest.approx(wanted, rel=1e-9)


def test_gain(rows) -> None:
    (top, bottom), (other, other_bottom) = rows
    one = paired_loss(*rows, higher_is_better=False, alpha=0.05, seed=2)
    ten = paired_loss((10 * top, bottom), (10 * other, other_bottom), higher_is_better=False, alpha=0.05, seed=2)
    assert [ten.loss, ten.low, ten.high, ten.error] == pytest.approx(
        [10 * one.loss, 10 * one.low, 10 * one.high, 10 * one.error]
    )
    assert ten.p == one.p


def test_one_item_has_a_loss_and_no_bound() -> None:
    found = paired_loss(([2.0], [1.0]), ([1.0], [1.0]), higher_is_better=False, alpha=0.05, seed=1)
    assert (found.loss, found.low, found.high, found.p, found.error, found.n_items) == (1.0, None, None, None, None, 1)
    assert paired_loss(([0.0], [0.0]), ([1.0], [1.0]), higher_is_better=False, alpha=0.05, seed=1) is None


@pytest.mark.parametrize("alpha", [0.0, 0.5, -0.1])
def test_an_alpha_that_is_none(rows, alpha) -> None:
    with pytest.raises(ValueError, match=r"alpha between 0 and 0\.5"):
        paired_loss(*rows, higher_is_better=False, alpha=alpha, seed=1)
