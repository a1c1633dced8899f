from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from reference_models.errors import ModelError
from reference_models.heads.mlp import AdaptiveMLP, layer_norm


def randomised(times: int = 2, dtype: torch.dtype = torch.float64) -> AdaptiveMLP:
    """Every weight away from its start, so that no part is silent."""
    network = AdaptiveMLP(3, 5, 8, 2, times).to(dtype)
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for weight in network.parameters():
            weight += 0.3 * torch.randn(weight.shape, generator=generator).to(dtype)
    return network


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


@pytest.mark.parametrize(("sizes", "published"), [((128, 1536, 3072, 12, 1), 601.1e6), ((32, 1024, 512, 6, 2), 9.76e6)])
def test_has_the_published_number_of_parameters(sizes: tuple[int, int, int, int, int], published: float) -> None:
    with torch.device("meta"):
        network = AdaptiveMLP(*sizes)
    assert sum(weight.numel() for weight in network.parameters()) == pytest.approx(published, rel=0.0005)


@pytest.mark.parametrize("times", [0, 1, 2])
def test_is_the_network_of_the_paper_spelled_out_block_by_block(times: int) -> None:
    network = randomised(times)
    x, z = draw(4, 3), draw(4, 5, seed=1)
    moments = [draw(4, 1, seed=2 + place).abs() for place in range(times)]
    y = z @ network.condition.weight.T + network.condition.bias
    for layer, moment in zip(network.times, moments, strict=True):
        angles = moment * 10000.0 ** -(torch.arange(128).double() / 128)
        hidden = layer.second(F.silu(layer.first(torch.cat([angles.cos(), angles.sin()], -1))))
        y = y + hidden * layer.gain / torch.sqrt(hidden.var(-1, keepdim=True) + 1e-5) / times
    rows = network.modulation.weight.unflatten(0, (8, 8))
    biases = network.modulation.bias.unflatten(0, (8, 8))
    scales, shifts, gates = [[F.silu(y) @ rows[i].T + biases[i] for i in p] for p in ((0, 1, 2), (3, 4, 5), (6, 7))]
    h = network.input(x)
    for place, block in enumerate(network.blocks):
        inner = F.layer_norm(h, (8,), block.norm_weight, block.norm_bias, 1e-6) * (1 + scales[place]) + shifts[place]
        h = h + gates[place] * block.second(F.silu(block.first(inner)))
    expected = network.output(F.layer_norm(h, (8,), eps=1e-6) * (1 + scales[2]) + shifts[2])
    # The frequencies are stored in float32.
    torch.testing.assert_close(network(x, moments, network.prepare(z)), expected, atol=1e-6, rtol=1e-6)


def test_starts_at_zero_with_blocks_that_do_nothing() -> None:
    network = AdaptiveMLP(3, 5, 8, 2, 1)
    prepared = network.prepare(torch.randn(4, 5))
    assert not network(torch.randn(4, 3), (torch.rand(4, 1),), prepared).any()
    nn.init.eye_(network.output.weight)
    x = torch.randn(4, 3)
    expected = F.layer_norm(network.input(x), (8,), eps=1e-6)[:, :3]
    torch.testing.assert_close(network(x, (torch.rand(4, 1),), prepared), expected)


def test_gradient_through_the_forward_derivative_agrees_with_finite_differences() -> None:
    # torch's own layer_norm fails this: the gradient of its forward derivative is wrong.
    network = randomised(1)
    x, z, t = draw(4, 3), draw(4, 5, seed=1), draw(4, 1, seed=2)
    weight = network.blocks[0].norm_weight

    def curvature() -> torch.Tensor:
        prepared = network.prepare(z)
        tangents = (torch.ones_like(x), torch.ones_like(t))
        return torch.func.jvp(lambda x, t: network(x, (t,), prepared), (x, t), tangents)[1].square().sum()

    (gradient,) = torch.autograd.grad(curvature(), weight)
    for place in range(3):
        ends = []
        for move in (1e-6, -1e-6):
            with torch.no_grad():
                weight[place] += move
            ends.append(float(curvature().detach()))
            with torch.no_grad():
                weight[place] -= move
        assert float(gradient[place]) == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5)


def test_norm_by_hand_is_the_built_in_one() -> None:
    x, weight, bias = draw(5, 16), draw(16, seed=1), draw(16, seed=2)
    by_hand = layer_norm(x, weight, bias)
    with torch.no_grad():
        torch.testing.assert_close(by_hand, layer_norm(x, weight, bias))
    torch.testing.assert_close(by_hand, F.layer_norm(x, (16,), weight, bias, 1e-6))


def test_shared_times_give_what_times_of_each_row_give() -> None:
    network = randomised()
    x, prepared = draw(4, 3), network.prepare(draw(4, 5, seed=1))
    rows = network(x, (torch.full((4, 1), 0.25).double(), torch.full((4, 1), 0.75).double()), prepared)
    for _ in range(2):
        torch.testing.assert_close(network.at(x, (0.25, 0.75), prepared), rows)


def test_remembered_times_follow_the_weights() -> None:
    network = randomised()
    x, prepared = draw(4, 3), network.prepare(draw(4, 5, seed=1))

    def agrees() -> bool:
        rows = [torch.full((4, 1), time).double() for time in (0.25, 0.75)]
        return torch.allclose(network.at(x, (0.25, 0.75), prepared), network(x, rows, prepared))

    before = network.at(x, (0.25, 0.75), prepared)
    other = copy.deepcopy(network)
    with torch.no_grad():
        network.times[0].second.weight.mul_(1.5)
    assert agrees()
    assert not torch.allclose(before, network.at(x, (0.25, 0.75), prepared))
    network.load_state_dict(other.state_dict())
    assert agrees()
    network.times[1].gain.data.copy_(torch.full((8,), 3.0))
    network.eval()
    assert agrees()


def test_remembers_a_bounded_number_of_times() -> None:
    network = randomised(1)
    x, prepared = draw(1, 3), network.prepare(draw(1, 5))
    for place in range(600):
        network.at(x, (place / 600,), prepared)
    assert len(network._embedded) <= 256


def test_without_times_the_condition_alone_counts() -> None:
    network = randomised(0)
    x, prepared = draw(4, 3), network.prepare(draw(4, 5, seed=1))
    torch.testing.assert_close(network(x, (), prepared), network.at(x, (), prepared))


@pytest.mark.parametrize("sizes", [(0, 5, 8, 2, 1), (3, 0, 8, 2, 1), (3, 5, 0, 2, 1), (3, 5, 8, 0, 1), (3, 5, 8, 2, 3)])
def test_refuses_sizes_that_make_no_network(sizes: tuple[int, int, int, int, int]) -> None:
    with pytest.raises(ModelError, match="at least 1"):
        AdaptiveMLP(*sizes)


def test_weights_made_in_inference_mode_can_sample() -> None:
    with torch.inference_mode():
        network = randomised(1)
        x, prepared = draw(2, 3), network.prepare(draw(2, 5, seed=1))
        torch.testing.assert_close(
            network.at(x, (0.5,), prepared), network(x, (torch.full((2, 1), 0.5).double(),), prepared)
        )
