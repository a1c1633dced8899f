"""What holds for every continuous head."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from gaussian_paths import HALF_PI, ExactNetwork, Gaussian
from scipy import stats

from reference_models.errors import ModelError
from reference_models.heads.consistency import ConsistencyHead
from reference_models.heads.continuous import ContinuousHead
from reference_models.heads.lsd import LSDHead
from reference_models.heads.protocol import Sampling, guided
from reference_models.heads.rectified_flow import RectifiedFlowHead
from reference_models.heads.trigflow import TrigFlowHead
from reference_models.noise import Noise

HEADS: tuple[Any, ...] = (ConsistencyHead, TrigFlowHead, LSDHead, RectifiedFlowHead)
TARGET = Gaussian(0.7, 0.4)
EXACT: dict[Any, Any] = {
    ConsistencyHead: TARGET.consistency,
    TrigFlowHead: TARGET.trig_velocity,
    LSDHead: lambda x, s, t: TARGET.mean_velocity(s, t, x),
    RectifiedFlowHead: TARGET.straight_velocity,
}

every_head = pytest.mark.parametrize("make", HEADS)


def noise(*names: str, seed: int = 0) -> Noise:
    return Noise([(name, seed) for name in names])


def lively(make: Any) -> ContinuousHead:
    """A head with random weights everywhere, none of them zero."""
    torch.manual_seed(3)
    head: ContinuousHead = make(4, 6, 16, 2)
    with torch.no_grad():
        for weight in head.parameters():
            weight += 0.2 * torch.randn_like(weight)
    return head.eval()


def exact(make: Any) -> ContinuousHead:
    """A head whose network is the closed form for N(0.7, 0.4^2)."""
    head: ContinuousHead = make(4, 1, 4, 1)
    head.network = ExactNetwork(EXACT[make])
    return head.double().eval()


def conditions(rows: int) -> torch.Tensor:
    return torch.randn(rows, 6, generator=torch.Generator().manual_seed(8))


@every_head
@pytest.mark.parametrize("steps", [1, 3])
def test_a_row_does_not_depend_on_its_neighbours(make: Any, steps: int) -> None:
    head, z = lively(make), conditions(5)
    names = ("a", "b", "c", "d", "e")
    together = head.sample(z, Sampling(steps=steps), noise(*names))
    for row, name in enumerate(names):
        alone = head.sample(z[row : row + 1], Sampling(steps=steps), noise(name))
        torch.testing.assert_close(together[row], alone[0], atol=1e-5, rtol=1e-5)
    assert (together[0] - together[1]).abs().max() > 1e-2


@every_head
def test_same_noise_gives_the_same_bytes_and_other_noise_does_not(make: Any) -> None:
    head, z = lively(make), conditions(2)
    first, again, other = (head.sample(z, Sampling(steps=2), noise("a", "b", seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


@every_head
def test_guidance_of_weight_one_is_no_guidance_and_others_move_z(make: Any) -> None:
    head, z = lively(make), conditions(2)
    null = conditions(3)[2:].expand(2, -1)
    plain = head.sample(z, Sampling(), noise("a", "b"))
    assert torch.equal(plain, head.sample(z, Sampling(cfg=1.0), noise("a", "b"), null))
    strong = head.sample(z, Sampling(cfg=1.5), noise("a", "b"), null)
    torch.testing.assert_close(strong, head.sample(null + 1.5 * (z - null), Sampling(), noise("a", "b")))
    torch.testing.assert_close(
        head.sample(z, Sampling(cfg=0.0), noise("a", "b"), null), head.sample(null, Sampling(), noise("a", "b"))
    )
    assert not torch.allclose(strong, plain)
    assert guided(z, None, 3.0) is z


@every_head
def test_temperature_is_the_variance_of_the_noise(make: Any) -> None:
    # The flow of a Gaussian keeps quantiles, so noise e becomes mean + std * sqrt(temperature) * e; jumps are exact.
    steps = 1 if make in (ConsistencyHead, LSDHead) else 4000
    head, z = exact(make), torch.ones(3, 1).double()
    drawn = noise("a", "b", "c").normal(4).double()
    for temperature in (0.0, 0.3, 0.7, 1.0, 2.0):
        found = head.sample(z, Sampling(temperature=temperature, steps=steps), noise("a", "b", "c"))
        wanted = 0.7 + 0.4 * math.sqrt(temperature) * drawn
        torch.testing.assert_close(found, wanted, atol=1e-9 if steps == 1 else 1e-3, rtol=0)


@pytest.mark.parametrize("make", [ConsistencyHead, LSDHead])
@pytest.mark.parametrize("steps", [2, 4])
def test_more_steps_of_an_exact_map_keep_the_spread(make: Any, steps: int) -> None:
    head, rows = exact(make), 400
    many = Noise([(str(row), 0) for row in range(rows)])
    found = head.sample(torch.ones(rows, 1).double(), Sampling(temperature=0.49, steps=steps), many)
    error = 1 / math.sqrt(2 * found.numel())
    assert float(found.std()) == pytest.approx(0.4 * 0.7, rel=4 * error)
    assert float(found.mean()) == pytest.approx(0.7, abs=4 * 0.28 / math.sqrt(found.numel()))


@every_head
def test_zero_temperature_takes_no_noise(make: Any) -> None:
    head, z = lively(make), conditions(2)
    first, other = (head.sample(z, Sampling(temperature=0.0, steps=3), noise("a", "b", seed=seed)) for seed in (1, 2))
    assert torch.equal(first, other)


@every_head
def test_loss_is_one_number_a_row_and_its_draws_are_the_generators(make: Any) -> None:
    head, z = lively(make), conditions(64)
    target = torch.randn(64, 4)
    losses = [head.loss(z, target, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert losses[0].shape == (64,)
    assert torch.equal(losses[0], losses[1])
    assert not torch.allclose(losses[0], losses[2])


@every_head
def test_every_weight_and_z_get_a_gradient(make: Any) -> None:
    head, z = lively(make).train(), conditions(64).requires_grad_()
    target, generator = torch.randn(64, 4), torch.Generator().manual_seed(0)
    # LSD distils in a quarter of its calls.
    sum(head.loss(z, target, generator).mean() for _ in range(20)).backward()
    assert z.grad is not None
    assert z.grad.abs().sum() > 0
    for name, weight in head.named_parameters():
        assert weight.grad is not None, name
        assert torch.isfinite(weight.grad).all(), name
        assert weight.grad.abs().sum() > 0, name


@pytest.mark.parametrize(
    ("make", "logarithm"),
    [
        (ConsistencyHead, lambda t: torch.log(torch.tan(t))),
        (TrigFlowHead, lambda t: torch.log(torch.tan(t))),
        (RectifiedFlowHead, torch.logit),
    ],
)
def test_times_follow_their_law(make: Any, logarithm: Any) -> None:
    seen = []

    def record(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        seen.append(t.detach())
        return x

    head = make(4, 1, 4, 1, mean=-0.3, std=0.8)
    head.network = ExactNetwork(record)
    head.double().loss(torch.ones(4000, 1).double(), torch.randn(4000, 4).double(), torch.Generator().manual_seed(0))
    assert ((seen[0] > 0) & (seen[0] < HALF_PI)).all()
    assert stats.kstest(logarithm(seen[0]).flatten().numpy(), stats.norm(-0.3, 0.8).cdf).pvalue > 1e-3


@every_head
def test_counts_its_steps(make: Any) -> None:
    calls = []

    def count(x: torch.Tensor, *times: Any) -> torch.Tensor:
        calls.append(times)
        return x

    head = make(4, 1, 4, 1)
    head.network = ExactNetwork(count)
    for steps in (1, 2, 5):
        calls.clear()
        head.double().sample(torch.ones(1, 1).double(), Sampling(steps=steps), noise("a"))
        assert len(calls) == steps == head.evaluations(Sampling(steps=steps))


@every_head
def test_refuses_what_it_cannot_sample_or_learn(make: Any) -> None:
    head, z = lively(make), conditions(2)
    for sampling, message in (
        (Sampling(steps=0), "1 step or more"),
        (Sampling(steps=-1), "1 step or more"),
        (Sampling(temperature=-0.1), "temperature"),
        (Sampling(temperature=math.nan), "temperature"),
        (Sampling(temperature=math.inf), "temperature"),
        (Sampling(cfg=2.0), "unconditional Z"),
    ):
        with pytest.raises(ModelError, match=message):
            head.sample(z, sampling, noise("a", "b"))
    with pytest.raises(ModelError, match="noise for 1"):
        head.sample(z, Sampling(), noise("a"))
    with pytest.raises(ModelError, match="condition"):
        head.sample(z[:, :5], Sampling(), noise("a", "b"))
    with pytest.raises(ModelError, match="target"):
        head.loss(z, torch.randn(2, 5))
    with pytest.raises(ModelError, match="target"):
        head.loss(z, torch.randn(3, 4))
    with pytest.raises(ModelError, match="1 step or more"):
        head.evaluations(Sampling(steps=0))
