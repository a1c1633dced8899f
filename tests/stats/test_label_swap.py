"""Two rows by a metric of the whole set: by a mean, whose test and error have closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.stats.label_swap import set_loss


def means(first, second):
    """A `Choice` whose value is the mean of what was chosen."""

    def choice(from_second, kept=None):
        there = np.ones(len(first), dtype=bool) if kept is None else kept
        return np.where(from_second, second, first)[:, there].mean(axis=1)

    return choice


NAMES = [f"item-{place}" for place in range(20)]


def test_the_loss_of_means_its_error_and_its_bounds() -> None:
    """Twenty items in twenty groups: the jackknife of a mean is the textbook standard error, t with 19 degrees."""
    first, second = np.random.default_rng(1).normal(size=(2, 20))
    found = set_loss(means(first, second), NAMES, higher_is_better=False, alpha=0.05, seed=1)
    error = np.std(second - first, ddof=1) / np.sqrt(20)
    assert found.loss == pytest.approx((second - first).mean())
    assert found.error == pytest.approx(error)
    assert found.high - found.loss == pytest.approx(1.7291328 * error)
    assert found.loss - found.low == pytest.approx(1.7291328 * error)


def test_direction() -> None:
    first, second = np.random.default_rng(2).normal(size=(2, 20))
    one = set_loss(means(first, second), NAMES, higher_is_better=True, alpha=0.05, seed=1)
    other = set_loss(means(second, first), NAMES, higher_is_better=False, alpha=0.05, seed=1)
    assert one.loss == pytest.approx(other.loss)
    assert one.high == pytest.approx(other.high)


def test_a_loss_in_every_item_is_as_rare_as_can_be() -> None:
    first = np.zeros(20)
    found = set_loss(means(first, first + 1), NAMES, higher_is_better=False, alpha=0.05, seed=3)
    assert found.p == 1 / 1000
    assert set_loss(means(first + 1, first), NAMES, higher_is_better=False, alpha=0.05, seed=3).p == 1.0
    assert set_loss(means(first, first), NAMES, higher_is_better=False, alpha=0.05, seed=3).p == 1.0


def test_rows_alike_are_rarely_told_apart() -> None:
    """400 worlds without a loss: p at most 0.05 in 5 of 100, give or take 2.6 standard errors."""
    generator, rare = np.random.default_rng(4), 0
    for world in range(400):
        first, second = generator.exponential(size=(2, 20))
        rare += (
            set_loss(means(first, second), NAMES, higher_is_better=False, alpha=0.05, seed=world, resamples=199).p
            <= 0.05
        )
    assert rare / 400 <= 0.05 + 0.029


def test_little_to_tell() -> None:
    one = set_loss(means(np.zeros(1), np.ones(1)), ["a"], higher_is_better=False, alpha=0.05, seed=1)
    assert (one.loss, one.low, one.p) == (1.0, None, None)
    assert (
        set_loss(means(np.full(3, np.nan), np.ones(3)), NAMES[:3], higher_is_better=False, alpha=0.05, seed=1) is None
    )
    with pytest.raises(ValueError, match=r"alpha between 0 and 0\.5"):
        set_loss(means(np.zeros(3), np.ones(3)), NAMES[:3], higher_is_better=False, alpha=0.7, seed=1)
