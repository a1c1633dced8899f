"""Mean cosine by closed forms and scipy; the spread over seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from calm_eval.metrics.seed_spread import mean_cosine, seed_spread, seed_spreads


@pytest.mark.parametrize(
    ("rows", "truth"),
    [
        ([[1, 0], [1, 0]], 1.0),
        ([[1, 0], [0, 5]], 0.0),
        ([[1, 0], [-2, 0]], -1.0),
        ([[1, 0], [1, 0], [0, 1]], 1 / 3),
        ([[3, 4], [4, 3]], 24 / 25),
        (np.eye(7), 0.0),
        # The corners of a regular simplex: the least that n vectors can reach.
        (np.eye(5) - 0.2, -1 / 4),
    ],
)
def test_closed_forms(rows: Any, truth: float) -> None:
    assert mean_cosine(rows) == pytest.approx(truth, abs=1e-14)


@pytest.mark.parametrize("count", [2, 3, 40])
def test_scipys_pairwise_cosine_distance(count: int) -> None:
    rows = np.random.default_rng(count).normal(0.3, 1, size=(count, 64))
    truth = float(pdist(rows, "cosine").mean())
    assert 1 - mean_cosine(rows) == pytest.approx(truth, abs=1e-13)
    scales = 10.0 ** np.linspace(-200, 200, count)[:, None]
    assert 1 - mean_cosine(rows * scales) == pytest.approx(truth, abs=1e-13)
    assert seed_spread(dict(enumerate(rows))) == pytest.approx(truth, abs=1e-13)
    assert seed_spread(dict(enumerate(rows[::-1]))) == pytest.approx(truth, abs=1e-13)


def test_equal_seeds_have_no_spread_and_never_a_negative_one() -> None:
    for size in range(1, 200):
        vector = np.full(size, 0.1, dtype=np.float32)
        assert 0 <= seed_spread({1: vector, 2: vector, 3: 2 * vector}) < 1e-12


def test_the_mean_frame_counts() -> None:
    frames = {1: [[2.0, 0.0], [0.0, 0.0]], 2: [[0.0, 1.0]], 3: [0.0, 3.0]}
    assert seed_spread(frames) == pytest.approx(2 / 3)


def test_more_noise_between_seeds_more_spread() -> None:
    generator = np.random.default_rng(1)
    mean, noise = generator.normal(size=64), generator.normal(size=(5, 64))
    values = [seed_spread(dict(enumerate(mean + size * noise))) for size in (0.0, 0.2, 0.5, 2.0)]
    assert values == sorted(values)
    assert values[-1] > 0.5


def test_each_prompt_has_its_own_value() -> None:
    found = seed_spreads({"a": {1: [1, 0], 2: [0, 1]}, "b": {1: [1, 1], 7: [2, 2]}})
    assert found == {"a": pytest.approx(1.0), "b": pytest.approx(0.0, abs=1e-15)}


@pytest.mark.parametrize(
    ("seeds", "told"),
    [
        ({1: [1, 0]}, "two seeds, got 1"),
        ({1: [1, 0], 2: [0, 0]}, "no direction"),
        ({1: [1, 0], 2: [np.nan, 0]}, "no direction"),
        ({1: [1, 0], 2: [[1, -1], [-1, 1]]}, "no direction"),
        ({1: [1, 0], 2: [1, 0, 0]}, "one length"),
        ({1: [1, 0], 2: np.zeros((0, 2))}, "an embedding is"),
        ({1: [1, 0], 2: np.zeros((1, 1, 2))}, "an embedding is"),
    ],
)
def test_no_spread_names_the_prompt(seeds: Any, told: str) -> None:
    with pytest.raises(ValueError, match=f"prompt 'p': .*{told}"):
        seed_spreads({"p": seeds})


def test_mean_cosine_needs_two_rows() -> None:
    with pytest.raises(ValueError, match="at least two"):
        mean_cosine([[1.0, 0.0]])
    with pytest.raises(ValueError, match="at least two"):
        mean_cosine([1.0, 0.0])
