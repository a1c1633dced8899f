"""Each continuous head learns known distributions in the plane (benchmarks/toy_targets.py has the whole table)."""

from __future__ import annotations

import dataclasses
import math
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from reference_models.heads.consistency import ConsistencyHead

TOYS = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "toy_targets.py"))
RECIPES: dict[str, Any] = TOYS["RECIPES"]
TARGETS: dict[str, Any] = TOYS["TARGETS"]
energy_distance = TOYS["energy_distance"]


def share(head: Any, recipe: Any, target: Any, count: int) -> float:
    """Energy distance of a trained head at its bar's steps, over the Gaussian's."""
    generator = torch.Generator().manual_seed(5)
    wanted = target(count, generator)
    found = TOYS["drawn"](head, count, recipe.steps[0])
    return float(energy_distance(found, wanted) / TOYS["gaussian_distance"](wanted, generator))


def shorter(name: str) -> Any:
    if name != "consistency":
        return dataclasses.replace(RECIPES[name], iterations=1500 if name == "TrigFlow" else 900, average=0.99)

    def make() -> ConsistencyHead:
        return ConsistencyHead(2, 1, 64, 2, mean=-0.5, std=2.0, warmup=250, normalise=False, weighted=False)

    return dataclasses.replace(RECIPES[name], make=make, iterations=600, average=0.99, rate=2e-3)


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("consistency", "mixture"),
        pytest.param("LSD", "mixture", marks=pytest.mark.slow),
        pytest.param("TrigFlow", "rings", marks=pytest.mark.slow),
        pytest.param("rectified flow", "rings", marks=pytest.mark.slow),
    ],
)
def test_a_short_training_meets_the_bar(name: str, target: str) -> None:
    # With 10000 samples the target itself gets within 0.02 of zero.
    recipe = shorter(name)
    head = TOYS["trained"](recipe, TARGETS[target])
    assert share(head, recipe, TARGETS[target], 10_000) <= recipe.limit


@pytest.mark.slow
@pytest.mark.parametrize("target", list(TARGETS))
@pytest.mark.parametrize("name", list(RECIPES))
def test_every_head_meets_the_bar_on_every_target(name: str, target: str) -> None:
    head = TOYS["trained"](RECIPES[name], TARGETS[target])
    assert share(head, RECIPES[name], TARGETS[target], 20_000) <= RECIPES[name].limit


@pytest.mark.parametrize("target", list(TARGETS))
def test_targets_have_mean_zero_and_covariance_one(target: str) -> None:
    points = TARGETS[target](200_000, torch.Generator().manual_seed(0))
    torch.testing.assert_close(points.mean(dim=0), torch.zeros(2), atol=0.01, rtol=0)
    torch.testing.assert_close(torch.cov(points.T), torch.eye(2), atol=0.015, rtol=0)


def test_energy_distance_is_scipys_with_the_points_own_distances_taken_out() -> None:
    left, right = np.random.default_rng(0).normal(size=300), np.random.default_rng(1).normal(0.3, 2.0, size=200)
    own = sum(np.abs(x[:, None] - x).mean() / (len(x) - 1) for x in (left, right))
    found = energy_distance(torch.from_numpy(left)[:, None], torch.from_numpy(right)[:, None])
    assert found == pytest.approx(stats.energy_distance(left, right) ** 2 - own, abs=1e-12)


def test_energy_distance_of_two_gaussians_has_its_closed_form() -> None:
    # E|N(m, v)| in one dimension, for the difference of two independent draws.
    def mean_absolute(mean: float, variance: float) -> float:
        std = math.sqrt(variance)
        spread = std * math.sqrt(2 / math.pi) * math.exp(-(mean**2) / (2 * variance))
        return spread + mean * (1 - 2 * stats.norm.cdf(-mean / std))

    exact = 2 * mean_absolute(1.0, 1 + 4) - mean_absolute(0.0, 2) - mean_absolute(0.0, 8)
    generator = torch.Generator().manual_seed(0)
    found = [
        energy_distance(torch.randn(500, 1, generator=generator), 1 + 2 * torch.randn(500, 1, generator=generator))
        for _ in range(60)
    ]
    error = float(np.std(found)) / math.sqrt(60)
    assert float(np.mean(found)) == pytest.approx(exact, abs=4 * error)
    assert error < 0.03 * exact


def test_energy_distance_is_unbiased_and_the_same_after_a_turn() -> None:
    generator = torch.Generator().manual_seed(0)
    found = torch.tensor(
        [energy_distance(*torch.randn(2, 200, 2, generator=generator)) for _ in range(200)], dtype=torch.float64
    )
    assert float(found.mean().abs()) < 4 * float(found.std()) / 200**0.5
    left, right = torch.randn(2, 200, 2, generator=generator).double()
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]]).double()
    assert energy_distance(left @ turn, right @ turn) == pytest.approx(energy_distance(left, right), abs=1e-9)
