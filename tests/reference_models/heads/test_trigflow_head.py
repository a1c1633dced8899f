from __future__ import annotations

import pytest
import torch
from gaussian_paths import HALF_PI, ExactNetwork, Gaussian

from reference_models.heads.trigflow import TrigFlowHead, integrate, trig_path

TARGET = Gaussian(0.7, 0.4)


def test_more_steps_converge_with_the_first_order() -> None:
    x = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)).double()
    errors = []
    for steps in (8, 16, 32, 64, 128):
        found = integrate(TARGET.trig_velocity, x, steps)
        errors.append(float((found - TARGET.trig_end(x, HALF_PI)).abs().max()))
    orders = torch.log2(torch.tensor(errors[:-1]) / torch.tensor(errors[1:]))
    assert (orders > 0.85).all()
    assert orders[-1] == pytest.approx(1, abs=0.05)


def test_one_step_is_exact_for_a_point() -> None:
    # For data at one point p, the velocity is known from x alone: x = cos(t) p + sin(t) e, F = cos(t) e - sin(t) p.
    point, x = torch.tensor([0.3, -1.2]).double(), torch.randn(6, 2).double()

    def velocity(x: torch.Tensor, t: float) -> torch.Tensor:
        angle = torch.tensor(t, dtype=torch.float64)
        e = (x - torch.cos(angle) * point) / torch.sin(angle)
        return torch.cos(angle) * e - torch.sin(angle) * point

    for steps in (1, 5):
        torch.testing.assert_close(integrate(velocity, x, steps), point.expand(6, 2), atol=1e-10, rtol=0)


def test_derivative_of_the_path() -> None:
    data, noise, t = (torch.randn(5, 2).double() for _ in range(3))
    _, slope = torch.func.jvp(lambda t: trig_path(data, noise, t)[0], (t,), (torch.ones_like(t),))
    torch.testing.assert_close(trig_path(data, noise, t)[1], slope)


def test_exact_velocity_is_where_the_gradient_vanishes() -> None:
    head = TrigFlowHead(2, 1, 4, 1)
    head.network = ExactNetwork(TARGET.trig_velocity)
    generator = torch.Generator().manual_seed(0)
    target = 0.7 + 0.4 * torch.randn(100_000, 2, generator=generator).double()
    gradients = []
    for place in range(20):
        rows = target[place * 5000 : (place + 1) * 5000]
        loss = head.double().loss(torch.ones(5000, 1).double(), rows, generator).mean()
        gradients.append(torch.stack(torch.autograd.grad(loss, [head.network.slope, head.network.offset])))
    found = torch.stack(gradients)
    error = found.std(dim=0) / 20**0.5
    assert (found.mean(dim=0).abs() < 4 * error).all()
    assert (error < 0.01).all()
