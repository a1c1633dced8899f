from __future__ import annotations

import pytest
import torch
from gaussian_paths import Gaussian

from reference_models.heads.protocol import Sampling
from reference_models.heads.rectified_flow import RectifiedFlowHead, euler
from reference_models.noise import Noise

TARGET = Gaussian(0.7, 0.4)


def test_more_steps_converge_with_the_first_order() -> None:
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)).double()
    errors = [
        float((euler(TARGET.straight_velocity, x, steps) - (0.7 + 0.4 * x)).abs().max()) for steps in (16, 32, 64, 128)
    ]
    orders = torch.log2(torch.tensor(errors[:-1]) / torch.tensor(errors[1:]))
    assert orders[-1] == pytest.approx(1, abs=0.05)


def test_one_step_from_pure_noise_gives_the_mean() -> None:
    x = torch.randn(50, 2).double()
    torch.testing.assert_close(euler(TARGET.straight_velocity, x, 1), torch.full_like(x, 0.7))


def test_loss_of_a_network_at_zero_is_the_power_of_the_line() -> None:
    head = RectifiedFlowHead(2, 1, 4, 1)
    target = 1.5 * torch.ones(20_000, 2)
    loss = head.loss(torch.ones(20_000, 1), target, torch.Generator().manual_seed(0))
    # E|1.5 - e|^2 = 1.5^2 + 1 for each dimension.
    loss = loss.detach()
    assert float(loss.mean()) == pytest.approx(3.25, abs=5 * float(loss.std()) / 20_000**0.5)


def test_a_network_at_zero_leaves_the_noise() -> None:
    head, names = RectifiedFlowHead(2, 1, 4, 1), [("a", 0), ("b", 0)]
    found = head.sample(torch.ones(2, 1), Sampling(temperature=0.25, steps=3), Noise(names))
    torch.testing.assert_close(found, 0.5 * Noise(names).normal(2))
