"""The smallest detectable difference: a closed form, and repetitions that find it as often as promised."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.stats.detectable import detectable_difference
from calm_eval.stats.paired import paired_p
from calm_eval.stats.student import t_quantile


def test_for_means_it_is_the_textbook_form() -> None:
    generator = np.random.default_rng(3)
    first, second = generator.normal(size=(2, 40))
    ones = np.ones(40)
    error = np.std(first - second, ddof=1) / np.sqrt(40)
    wanted = (t_quantile(0.975, 39) + 0.8416212335729143) * error
    assert detectable_difference((first, ones), (second, ones)) == pytest.approx(wanted, rel=1e-9)


def test_four_of_five_repetitions_find_it() -> None:
    """250 worlds of 40 pairs whose true difference is the detectable one: 0.8 give or take 2.6 standard errors."""
    generator = np.random.default_rng(5)
    ones = np.ones(40)
    spread = np.sqrt(2.0)
    size = (t_quantile(0.975, 39) + 0.8416) * spread / np.sqrt(40)
    found = 0
    for world in range(250):
        first, second = generator.normal(size=(2, 40))
        p = paired_p((first + size, ones), (second, ones), seed=world, resamples=999)
        assert p is not None
        found += p < 0.05
    assert 0.8 - 0.066 <= found / 250 <= 0.8 + 0.066


def test_scale_and_size() -> None:
    generator = np.random.default_rng(7)
    first, second = generator.normal(size=(2, 60))
    ones = np.ones(60)
    base = detectable_difference((first, ones), (second, ones))
    assert base is not None
    assert detectable_difference((first * 10, ones), (second * 10, ones)) == pytest.approx(base * 10)
    more = detectable_difference((first, ones), (second, ones), power=0.95)
    assert more is not None
    assert more > base


def test_nothing_to_tell() -> None:
    assert detectable_difference(([1.0], [1.0]), ([2.0], [1.0])) is None
    assert detectable_difference(([1.0, 2.0], [1.0, 0.0]), ([1.0, 2.0], [1.0, 1.0])) is None
    assert detectable_difference(([1.0, 2.0], [1.0, 1.0]), ([1.0, 2.0], [1.0, 1.0])) == 0.0
