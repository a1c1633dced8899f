from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from gaussian_paths import ExactNetwork, Gaussian
from scipy import stats

from reference_models.errors import ModelError
from reference_models.heads.lsd import LSDHead, distillation_error, flow_matching_error, jumps
from reference_models.heads.rectified_flow import straight_path

TARGET = Gaussian(0.7, 0.4)


def times(rows: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    pair = torch.rand(rows, 2, generator=torch.Generator().manual_seed(seed)).double().sort(dim=-1).values
    return pair[:, :1] * 0.9, pair[:, 1:] * 0.9


def test_both_errors_vanish_for_a_point() -> None:
    point = torch.tensor([0.3, -1.2]).double()
    s, t = times(50)
    noise = torch.randn(50, 2).double()

    def u(s: torch.Tensor, t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        # Lines to the point, whatever the later time.
        return (point - x) / (1 - s) + 0 * t

    data = point.expand(50, 2)
    assert flow_matching_error(u, data, noise, t).abs().max() < 1e-10
    assert distillation_error(u, u, straight_path(data, noise, s)[0], s, t).abs().max() < 1e-10


def test_distillation_vanishes_at_the_exact_flow_map_and_only_there() -> None:
    s, t = times(200)
    x = straight_path(0.7 + 0.4 * torch.randn(200, 2).double(), torch.randn(200, 2).double(), s)[0]
    u = TARGET.mean_velocity
    assert distillation_error(u, u, x, s, t).abs().max() < 1e-10
    wrong = Gaussian(0.7, 0.5).mean_velocity
    assert distillation_error(wrong, u, x, s, t).abs().max() > 0.01


def test_distillation_is_the_time_derivative_of_the_map_less_the_velocity() -> None:
    s, t = times(20)
    x = torch.randn(20, 2).double()

    def u(s: torch.Tensor, t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(x * (1 + s)) * torch.cos(3 * t) + t * s

    def end(t: torch.Tensor) -> torch.Tensor:
        return x + (t - s) * u(s, t, x)

    change = (end(t + 1e-6) - end(t - 1e-6)) / 2e-6
    torch.testing.assert_close(distillation_error(u, u, x, s, t), change - u(t, t, end(t)), atol=1e-8, rtol=1e-8)


def at_the_flow(form: Any, **options: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean gradient of the head's loss where its network is `form`, and the standard error."""
    head = LSDHead(2, 1, 4, 1, **options)
    head.network = ExactNetwork(form)
    head.double()
    generator, found = torch.Generator().manual_seed(0), []
    for _ in range(40):
        target = 0.7 + 0.4 * torch.randn(2500, 2, generator=generator).double()
        loss = head.loss(torch.ones(2500, 1).double(), target, generator).mean()
        found.append(torch.stack(torch.autograd.grad(loss, [head.network.slope, head.network.offset])))
    rows = torch.stack(found)
    return rows.mean(dim=0), rows.std(dim=0) / 40**0.5


@pytest.mark.parametrize("split", ["calls", "rows"])
@pytest.mark.parametrize("stop", ["minimal", "classic"])
def test_gradient_vanishes_at_the_exact_flow_map(split: str, stop: str) -> None:
    mean, error = at_the_flow(lambda x, s, t: TARGET.mean_velocity(s, t, x), split=split, stop=stop)
    assert (mean.abs() < 4 * error).all()
    assert (error < 0.01).all()


@pytest.mark.parametrize("stop", ["minimal", "classic"])
def test_the_targets_weights_get_no_gradient(stop: str) -> None:
    torch.manual_seed(0)
    head = LSDHead(2, 3, 8, 1, stop=stop).double()
    with torch.no_grad():
        for weight in head.network.parameters():
            weight += 0.2 * torch.randn_like(weight)
    frozen = copy.deepcopy(head.network).requires_grad_(False)
    z, data, noise = (torch.randn(30, size).double() for size in (3, 2, 2))
    head._distillation(head.network.prepare(z), data, noise, torch.Generator().manual_seed(1)).mean().backward()
    found = [weight.grad.clone() for weight in head.network.parameters()]
    head.zero_grad()

    pair = [
        torch.sigmoid(torch.randn(30, 1, generator=generator) + 0.4)
        for generator in [torch.Generator().manual_seed(1)]
        for _ in range(2)
    ]
    s, t = torch.minimum(*pair).double(), torch.maximum(*pair).double()
    x = s * data + (1 - s) * noise
    prepared = head.network.prepare(z)
    u, change = torch.func.jvp(lambda t: head.network(x, (s, t), prepared), (t,), (torch.ones_like(t),))
    end = x + (t - s) * u
    if stop == "classic":
        end = end.detach()
    target = frozen(end, (t, t), frozen.prepare(z))
    (u + (t - s) * change - target).square().mean().backward()
    for mine, weight in zip(found, head.network.parameters(), strict=True):
        torch.testing.assert_close(mine, weight.grad, atol=1e-6, rtol=1e-5)


def test_both_splits_have_the_same_mean_loss() -> None:
    torch.manual_seed(0)
    calls, rows = LSDHead(2, 1, 8, 1, split="calls"), LSDHead(2, 1, 8, 1, split="rows")
    with torch.no_grad():
        for weight in calls.parameters():
            weight += 0.3 * torch.randn_like(weight)
    rows.load_state_dict(calls.state_dict())
    z, target = torch.ones(500, 1), torch.randn(500, 2)
    generator, losses = torch.Generator().manual_seed(0), []
    for head in (calls, rows):
        with torch.no_grad():
            losses.append(torch.stack([head.loss(z, target, generator).mean() for _ in range(300)]))
    error = sum(float(each.var()) / 300 for each in losses) ** 0.5
    assert float(losses[0].mean()) == pytest.approx(float(losses[1].mean()), abs=4 * error)
    assert error < 0.05 * float(losses[0].mean())


def test_a_quarter_of_the_calls_distils() -> None:
    # A network that is zero has no distillation error, a fresh weight is 1: the loss is 3/4 of |line|^2 in every call.
    head, seen = LSDHead(2, 1, 4, 1), []
    plain = head._distillation
    head._distillation = lambda *given: seen.append(1) or plain(*given)
    z, target, generator = torch.ones(50, 1), torch.zeros(50, 2), torch.Generator().manual_seed(0)
    losses = torch.stack([head.loss(z, target, generator).mean().detach() for _ in range(800)])
    assert stats.binomtest(len(seen), 800, 0.25).pvalue > 1e-3
    assert float(losses.mean()) == pytest.approx(0.75, abs=0.02)


def test_times_follow_their_law() -> None:
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    def record(x: torch.Tensor, s: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        seen.append((s.detach(), t.detach()))
        return x * 0

    head = LSDHead(2, 1, 4, 1)
    head.network = ExactNetwork(record)
    head.double().loss(torch.ones(4000, 1).double(), torch.randn(4000, 2).double(), torch.Generator().manual_seed(0))
    s, t = seen[0]
    assert torch.equal(s, t)
    assert stats.kstest(torch.logit(t).flatten().numpy(), stats.norm(0.4, 1.0).cdf).pvalue > 1e-3


def test_jumps_of_the_exact_map_are_exact_in_any_number() -> None:
    x = torch.randn(6, 2).double()
    for steps in (1, 2, 7):
        torch.testing.assert_close(jumps(TARGET.mean_velocity, x, steps), 0.7 + 0.4 * x)


@pytest.mark.parametrize("options", [{"distilled": 0.0}, {"distilled": 1.0}, {"split": "both"}, {"stop": "none"}])
def test_refuses_unknown_choices(options: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="LSD takes"):
        LSDHead(2, 1, 4, 1, **options)
