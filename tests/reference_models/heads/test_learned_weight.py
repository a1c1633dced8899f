from __future__ import annotations

import math

import pytest
import torch

from reference_models.heads.weighting import LearnedWeight


@pytest.mark.parametrize("times", [1, 2])
def test_starts_as_no_weight(times: int) -> None:
    error = torch.rand(6)
    torch.testing.assert_close(LearnedWeight(times)(error, *[torch.rand(6, 1)] * times), error)


def test_rests_where_the_weight_is_the_inverse_of_the_mean_error() -> None:
    weight = LearnedWeight(1)
    error, t = torch.rand(1000), torch.rand(1000, 1)
    with torch.no_grad():
        weight.last.bias.fill_(-math.log(float(error.mean())))
    weight(error, t).mean().backward()
    assert float(weight.last.bias.grad) == pytest.approx(0, abs=1e-5)
    # There every weighted error is 1 on average.
    assert float(weight(error, t).mean().detach()) == pytest.approx(1 + math.log(float(error.mean())), abs=1e-5)


def test_learns_which_times_are_hard() -> None:
    torch.manual_seed(0)
    weight, generator = LearnedWeight(1), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(weight.parameters(), lr=1e-2)
    for _ in range(400):
        t = torch.rand(512, 1, generator=generator)
        error = torch.exp(3 * t.squeeze(-1)) * torch.empty(512).exponential_(generator=generator)
        optimizer.zero_grad()
        weight(error, t).mean().backward()
        optimizer.step()
    t = torch.tensor([[0.1], [0.5], [0.9]])
    # d loss / d error is the weight itself.
    found = torch.stack([weight(torch.ones(3), t) - weight(torch.zeros(3), t)]).flatten()
    assert (torch.log(found) + 3 * t.flatten()).abs().max() < 0.3
