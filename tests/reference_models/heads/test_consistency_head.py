from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from gaussian_paths import HALF_PI, ExactNetwork, Gaussian

from reference_models.errors import ModelError
from reference_models.heads.consistency import ConsistencyHead, denoise_in_steps, renoise_times, tangent
from reference_models.heads.mlp import AdaptiveMLP
from reference_models.heads.trigflow import trig_path

TARGET = Gaussian(0.7, 0.4)


def path(rows: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Points, times and slopes of the path from N(0.7, 0.4^2) to noise."""
    generator = torch.Generator().manual_seed(seed)
    data = 0.7 + 0.4 * torch.randn(rows, 2, generator=generator).double()
    noise = torch.randn(rows, 2, generator=generator).double()
    t = 0.05 + (HALF_PI - 0.1) * torch.rand(rows, 1, generator=generator).double()
    x, slope = trig_path(data, noise, t)
    return x, t, slope


@pytest.mark.parametrize("grad", [True, False])
def test_tangent_agrees_with_finite_differences(grad: bool) -> None:
    torch.manual_seed(0)
    network = AdaptiveMLP(2, 3, 16, 2, 1).double()
    with torch.no_grad():
        for weight in network.parameters():
            weight += 0.2 * torch.randn_like(weight)
    x, t, slope = path(20)
    prepared = network.prepare(torch.randn(20, 3).double())

    def clean(move: float) -> torch.Tensor:
        moved, angle = x + move * slope, t + move
        return torch.cos(angle) * moved - torch.sin(angle) * network(moved, (angle,), prepared)

    with torch.set_grad_enabled(grad):
        value, g = tangent(lambda x, t: network(x, (t,), prepared), x, t, slope)
    torch.testing.assert_close(value, network(x, (t,), prepared))
    change = (clean(1e-5) - clean(-1e-5)) / 2e-5
    assert change.abs().max() > 1
    torch.testing.assert_close(g, torch.cos(t) * change, atol=1e-7, rtol=1e-7)


def test_exact_consistency_function_is_a_fixed_point() -> None:
    x, t, _ = path(200)
    _, g = tangent(TARGET.consistency, x, t, TARGET.trig_velocity(x, t))
    assert g.abs().max() < 1e-10
    other = Gaussian(0.7, 0.5)
    assert tangent(other.consistency, x, t, TARGET.trig_velocity(x, t))[1].abs().max() > 0.01


def test_without_warmth_the_tangent_is_flow_matching() -> None:
    x, t, slope = path(50)
    value, g = tangent(TARGET.consistency, x, t, slope, warm=0.0)
    torch.testing.assert_close(g, torch.cos(t) ** 2 * (slope - value))


def gradients(form: Any, normalise: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean gradient of the head's loss where its network is `form`, and the standard error."""
    head = ConsistencyHead(2, 1, 4, 1, warmup=0, normalise=normalise, std=1.0)
    head.network = ExactNetwork(form)
    head.double()
    generator, found = torch.Generator().manual_seed(0), []
    for _ in range(20):
        target = 0.7 + 0.4 * torch.randn(5000, 2, generator=generator).double()
        loss = head.loss(torch.ones(5000, 1).double(), target, generator).mean()
        found.append(torch.stack(torch.autograd.grad(loss, [head.network.slope, head.network.offset])))
    rows = torch.stack(found)
    return rows.mean(dim=0), rows.std(dim=0) / 20**0.5


def test_gradient_vanishes_at_the_exact_function_and_only_there() -> None:
    mean, error = gradients(TARGET.consistency)
    assert (mean.abs() < 4 * error).all()
    assert (error < 0.01).all()
    mean, error = gradients(Gaussian(0.8, 0.4).consistency)
    assert mean[1].abs() > 10 * error[1]


def test_normalised_tangents_stay_below_one() -> None:
    head = ConsistencyHead(2, 1, 4, 1, warmup=0).double()
    target = 100 * torch.randn(500, 2).double()
    plain = ConsistencyHead(2, 1, 4, 1, warmup=0, normalise=False).double()
    loss, large = (
        each.loss(torch.ones(500, 1).double(), target, torch.Generator().manual_seed(0)) for each in (head, plain)
    )
    # At the start F is 0 and its weight 1: the loss is |g|^2 / 2.
    assert loss.max() < 0.5
    assert loss.max() > 0.49
    assert large.max() > 100


def test_warm_up_counts_calls_in_training_only_and_is_saved() -> None:
    head = ConsistencyHead(2, 1, 4, 1, warmup=2)
    z, target = torch.ones(8, 1), torch.randn(8, 2)
    head.eval().loss(z, target)
    assert int(head.state_dict()["calls"]) == 0
    head.train()
    for _ in range(3):
        head.loss(z, target)
    assert int(head.state_dict()["calls"]) == 3


def test_warm_up_ends_in_the_full_tangent() -> None:
    torch.manual_seed(0)
    warm, full = ConsistencyHead(2, 1, 8, 1, warmup=4), ConsistencyHead(2, 1, 8, 1, warmup=0)
    with torch.no_grad():
        for weight in warm.parameters():
            weight += 0.2 * torch.randn_like(weight)
    full.load_state_dict(warm.state_dict())
    z, target = torch.ones(64, 1), torch.randn(64, 2)
    same = []
    for _ in range(6):
        pair = [head.train().loss(z, target, torch.Generator().manual_seed(0)) for head in (warm, full)]
        same.append(torch.equal(*pair))
    assert same == [False] * 4 + [True] * 2


def test_times_of_more_steps_start_at_pure_noise_and_fall() -> None:
    assert renoise_times(1) == (HALF_PI,)
    assert renoise_times(4) == pytest.approx([math.pi / 2, 3 * math.pi / 8, math.pi / 4, math.pi / 8])


def test_one_step_is_the_function_at_pure_noise() -> None:
    x = torch.randn(5, 2).double()
    torch.testing.assert_close(denoise_in_steps(TARGET.consistency, lambda: x, (HALF_PI,)), 0.7 + 0.4 * x)


def test_two_steps_denoise_noise_and_denoise() -> None:
    draws = [torch.randn(5, 2).double() for _ in range(2)]
    queue = iter(draws)
    found = denoise_in_steps(TARGET.consistency, lambda: next(queue), renoise_times(2))
    again = math.sqrt(0.5) * (0.7 + 0.4 * draws[0]) + math.sqrt(0.5) * draws[1]
    torch.testing.assert_close(found, TARGET.trig_end(again, math.pi / 4))


def test_refuses_a_negative_warm_up() -> None:
    with pytest.raises(ModelError, match="warm-up"):
        ConsistencyHead(2, 1, 4, 1, warmup=-1)
