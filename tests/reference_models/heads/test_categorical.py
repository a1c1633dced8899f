from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import chisquare
from torch.nn import functional as F  # noqa: N812 - the name that every reader knows

from reference_models.errors import ModelError
from reference_models.heads.categorical import check_request, code_loss, draw, guided_logits
from reference_models.heads.protocol import Sampling
from reference_models.noise import Noise


def codes_of(probabilities: list[float], uniform: list[float], sampling: Sampling) -> list[int]:
    logits = torch.tensor(probabilities).log().expand(len(uniform), -1)
    return draw(logits, sampling, torch.tensor(uniform)).tolist()


def test_each_code_owns_an_interval_as_long_as_its_probability() -> None:
    # Cumulative: 0.125, 0.375, 0.875, 1.
    uniform = [0.0, 0.12, 0.13, 0.37, 0.38, 0.87, 0.88, 0.999]
    assert codes_of([0.125, 0.25, 0.5, 0.125], uniform, Sampling()) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_even_numbers_give_the_probabilities_of_the_softmax() -> None:
    logits = torch.randn(50, generator=torch.Generator().manual_seed(0))
    count = 100_000
    uniform = (torch.arange(count) + 0.5) / count
    drawn = draw(logits.expand(count, -1), Sampling(temperature=0.7), uniform).bincount(minlength=50)
    # Even spacing leaves each count within one of its expectation.
    assert (drawn - count * (logits.double() / 0.7).softmax(0)).abs().max() < 1.5


def test_random_numbers_pass_a_chi_square_test_at_top_k() -> None:
    logits = torch.randn(40, generator=torch.Generator().manual_seed(1))
    uniform = torch.rand(20_000, generator=torch.Generator().manual_seed(2))
    drawn = draw(logits.expand(20_000, -1), Sampling(top_k=8), uniform).bincount(minlength=40).double()
    kept = logits.argsort(descending=True)[:8]
    assert drawn[kept].sum() == 20_000
    expected = logits[kept].double().softmax(0) * 20_000
    assert chisquare(drawn[kept].numpy(), expected.numpy()).pvalue > 1e-3


def test_temperature_zero_and_top_one_take_the_likeliest() -> None:
    logits = torch.randn(200, 30, generator=torch.Generator().manual_seed(3))
    uniform = torch.rand(200, generator=torch.Generator().manual_seed(4))
    for sampling in (Sampling(temperature=0), Sampling(top_k=1), Sampling(temperature=1e-30)):
        assert torch.equal(draw(logits, sampling, uniform), logits.argmax(1))


def test_top_k_of_all_or_more_changes_no_probability() -> None:
    logits = torch.randn(500, 30, generator=torch.Generator().manual_seed(5))
    uniform = torch.rand(500, generator=torch.Generator().manual_seed(6))
    plain = draw(logits, Sampling(), uniform)
    assert torch.equal(draw(logits, Sampling(top_k=30), uniform), plain)
    assert torch.equal(draw(logits, Sampling(top_k=10_000), uniform), plain)


@pytest.mark.parametrize("top", [0.0, 0.5, 1 - 2**-24, 1 - 2**-50])
@pytest.mark.parametrize("size", [3, 2048])
def test_impossible_codes_are_never_drawn(top: float, size: int) -> None:
    # Zero probability at both ends and in the middle; the uniform at 0, at the largest float32 below 1, and at a
    # float64 that rounds to 1.
    logits = torch.randn(1000, size, generator=torch.Generator().manual_seed(7))
    dead = torch.rand(1000, size, generator=torch.Generator().manual_seed(8)) < 0.5
    dead[:, 0], dead[:, -1], dead[:, 1] = True, True, False
    drawn = draw(logits.masked_fill(dead, -math.inf), Sampling(), torch.full((1000,), top, dtype=torch.float64))
    assert not dead.gather(1, drawn[:, None]).any()


def test_the_last_possible_code_is_reached_near_one() -> None:
    assert codes_of([0.25, 0.25, 0.5, 0.0], [1 - 2**-24], Sampling()) == [2]


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    logits = torch.randn(64, 100, generator=torch.Generator().manual_seed(9))
    uniform = torch.rand(64, generator=torch.Generator().manual_seed(10))
    sampling = Sampling(temperature=0.9, top_k=20)
    together = draw(logits, sampling, uniform)
    assert torch.equal(torch.cat([draw(logits[i : i + 1], sampling, uniform[i : i + 1]) for i in range(64)]), together)
    assert torch.equal(draw(logits.flip(0), sampling, uniform.flip(0)).flip(0), together)


def test_half_precision_logits_are_drawn_in_float32() -> None:
    # 4096 equal codes: cumulated in bfloat16, the sum would stop growing long before 1.
    logits = torch.zeros(3, 4096, dtype=torch.bfloat16)
    assert draw(logits, Sampling(), torch.tensor([0.25001, 0.5001, 0.75001])).tolist() == [1024, 2048, 3072]


def test_guidance_is_a_product_of_powers() -> None:
    # softmax(guided) is proportional to conditional^w * null^(1 - w).
    conditional, null = torch.tensor([[0.2, 0.3, 0.5]]), torch.tensor([[0.5, 0.25, 0.25]])
    expected = conditional**3 * null**-2
    logits = guided_logits(conditional.log(), null.log(), 3.0)
    torch.testing.assert_close(logits.softmax(1), expected / expected.sum())
    assert guided_logits(conditional, None, 3.0) is conditional


def test_guidance_at_zero_and_one_gives_either_side() -> None:
    a, b = torch.randn(2, 4, 9, generator=torch.Generator().manual_seed(11)).unbind(0)
    torch.testing.assert_close(guided_logits(a, b, 1.0), a)
    torch.testing.assert_close(guided_logits(a, b, 0.0), b)


def test_loss_is_the_cross_entropy_of_the_counted_codes() -> None:
    logits = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(12))
    target = torch.tensor([[1, 3], [-1, 2], [-7, -1]])
    minus = -logits.log_softmax(-1)
    expected = torch.stack([(minus[0, 0, 1] + minus[0, 1, 3]) / 2, minus[1, 1, 2] / 2, torch.tensor(0.0)])
    torch.testing.assert_close(code_loss(logits, target), expected)
    flat = torch.zeros(1, 5, 8)
    assert code_loss(flat, torch.zeros(1, 5, dtype=torch.long)).item() == pytest.approx(math.log(8))


def test_uncounted_codes_have_no_gradient() -> None:
    logits = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(13), requires_grad=True)
    target = torch.tensor([[0, -1, 2], [-1, -1, -1]])
    (gradient,) = torch.autograd.grad(code_loss(logits, target).sum(), logits)
    assert ((gradient.abs().sum(-1) > 0) == (target >= 0)).all()
    softmax = logits[0, 0].softmax(0) - F.one_hot(torch.tensor(0), 5)
    torch.testing.assert_close(gradient[0, 0], softmax / 3)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (torch.tensor([[0, 5]]), "out of range"),
        (torch.tensor([[0, 1, 2]]), r"\[N, 2\]"),
        (torch.tensor([0, 1]), r"\[N, 2\]"),
        (torch.tensor([[0.0, 1.0]]), "integers"),
    ],
)
def test_codes_that_do_not_fit_are_refused(target: torch.Tensor, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        code_loss(torch.zeros(1, 2, 5), target)


@pytest.mark.parametrize("sampling", [Sampling(temperature=-0.1), Sampling(temperature=math.nan), Sampling(top_k=-1)])
def test_impossible_samplings_are_refused(sampling: Sampling) -> None:
    with pytest.raises(ModelError, match="must be"):
        draw(torch.zeros(1, 4), sampling, torch.zeros(1))


def test_requests_that_do_not_fit_are_refused() -> None:
    z, two = torch.zeros(2, 3), Noise([("a", 0), ("b", 0)])
    check_request(z, Sampling(cfg=2, depth=4), two, z, 4)
    with pytest.raises(ModelError, match="1 rows"):
        check_request(z, Sampling(), Noise([("a", 0)]), None, 4)
    with pytest.raises(ModelError, match="exactly when"):
        check_request(z, Sampling(cfg=2), two, None, 4)
    with pytest.raises(ModelError, match="exactly when"):
        check_request(z, Sampling(), two, z, 4)
    with pytest.raises(ModelError, match="shape"):
        check_request(z, Sampling(cfg=2), two, z[:1], 4)
    with pytest.raises(ModelError, match="finite"):
        check_request(z, Sampling(cfg=math.inf), two, z, 4)
    for depth in (5, -1):
        with pytest.raises(ModelError, match="depth"):
            check_request(z, Sampling(depth=depth), two, None, 4)
