from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from reference_models.errors import ModelError
from reference_models.heads.delay import DelayHead
from reference_models.heads.delays import FrameAssembler, apply_delays
from reference_models.heads.protocol import Sampling
from reference_models.noise import Noise

DELAYS = (0, 1, 2)
FILL = 4  # codes 0..3


def small() -> DelayHead:
    torch.manual_seed(0)
    return DelayHead(6, 4, 9)


def conditions(rows: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(rows, 6, generator=torch.Generator().manual_seed(seed))


def noise(rows: int, seed: int = 0) -> Noise:
    return Noise([(f"item {row}", seed) for row in range(rows)])


def test_each_codebook_has_its_own_linear_map() -> None:
    head, z = small(), conditions(5)
    assert sum(p.numel() for p in head.parameters()) == 4 * 9 * 6
    for k in range(4):
        torch.testing.assert_close(head.logits(z)[:, k], z @ head.weight[k].T)


def test_zero_weights_cost_the_logarithm_of_the_cardinality() -> None:
    head, z = small(), conditions(3)
    nn.init.zeros_(head.weight)
    target = torch.tensor([[0, 1, 2, 3], [0, -1, 2, -1], [-1, -1, -1, -1]])
    torch.testing.assert_close(head.loss(z, target), math.log(9) * torch.tensor([1.0, 0.5, 0.0]))


def test_samples_belong_to_their_rows() -> None:
    head, z = small(), conditions(7)
    together = head.sample(z, Sampling(), noise(7))
    assert together.shape == (7, 4)
    assert torch.equal(head.sample(z, Sampling(), noise(7)), together)
    flipped = Noise([(f"item {row}", 0) for row in reversed(range(7))])
    assert torch.equal(head.sample(z.flip(0), Sampling(), flipped).flip(0), together)
    for row in range(7):
        alone = head.sample(z[row : row + 1], Sampling(), Noise([(f"item {row}", 0)]))
        assert torch.equal(alone, together[row : row + 1])
    torch.testing.assert_close(head.logits(z.flip(0)).flip(0), head.logits(z), atol=1e-4, rtol=0)


def test_codebooks_are_independent_given_the_condition() -> None:
    torch.manual_seed(0)
    head = DelayHead(1, 2, 3)
    codes = head.sample(torch.ones(20_000, 1), Sampling(), noise(20_000))
    counts = torch.zeros(3, 3).index_put_((codes[:, 0], codes[:, 1]), torch.tensor(1.0), accumulate=True)
    first, second = head.logits(torch.ones(1, 1))[0].softmax(-1)
    assert (counts / 20_000 - torch.outer(first, second)).abs().sum() / 2 < 0.02


def test_guidance_temperature_and_depth() -> None:
    head, z = small(), conditions(6)
    null = conditions(6, seed=2)
    mixed = head.logits(null) + 3 * (head.logits(z) - head.logits(null))
    assert torch.equal(head.sample(z, Sampling(temperature=0, cfg=3.0), noise(6), null), mixed.argmax(-1))
    assert torch.equal(head.sample(z, Sampling(cfg=3.0), noise(6), z), head.sample(z, Sampling(), noise(6)))
    whole = head.sample(z, Sampling(), noise(6))
    assert torch.equal(head.sample(z, Sampling(depth=3), noise(6)), whole[:, :3])
    assert head.evaluations(Sampling()) == 0


def test_bad_input_is_refused() -> None:
    head, z = small(), conditions(2)
    with pytest.raises(ModelError, match="temperature"):
        head.sample(z, Sampling(temperature=-1), noise(2))
    with pytest.raises(ModelError, match="depth"):
        head.sample(z, Sampling(depth=5), noise(2))
    with pytest.raises(ModelError, match="exactly when"):
        head.sample(z, Sampling(cfg=2), noise(2))
    with pytest.raises(ModelError, match="rows"):
        head.sample(z, Sampling(), noise(1))
    with pytest.raises(ModelError, match="out of range"):
        head.loss(z, torch.full((2, 4), 9))
    with pytest.raises(ModelError, match="at least 1"):
        DelayHead(6, 0, 9)


class TwoColumns(nn.Module):
    """A causal stand-in for the backbone: sees the last two columns of codes."""

    def __init__(self, books: int, codes: int, width: int) -> None:
        super().__init__()
        self.codes = codes
        self.layers = nn.Sequential(nn.Linear(2 * books * codes, width), nn.GELU(), nn.Linear(width, width), nn.GELU())

    def forward(self, before: torch.Tensor) -> torch.Tensor:
        """[N, 2, books] to [N, width]."""
        return self.layers(nn.functional.one_hot(before, self.codes).float().flatten(1))


def drawn_joint(joint: torch.Tensor, delays: tuple[int, ...], steps: int) -> torch.Tensor:
    """Train on sequences of independent frames of `joint`, stream new ones, and count the frames."""
    torch.manual_seed(1)
    model, head = TwoColumns(3, FILL + 1, 64), DelayHead(64, 3, FILL)
    optimizer = torch.optim.Adam([*model.parameters(), *head.parameters()], lr=4e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    start, length = torch.full((1, 2, 3), FILL), 10
    for _ in range(steps):
        cells = torch.multinomial(joint.flatten(), 64 * length, replacement=True)
        frames = torch.stack([cells // 16, cells // 4 % 4, cells % 4], -1).view(64, length, 3)
        columns = torch.cat([start.expand(64, -1, -1), apply_delays(frames, delays, FILL)], 1)
        before = columns.unfold(1, 2, 1)[:, :-1].transpose(2, 3)  # the two columns before each
        target = apply_delays(frames, delays, -1)
        optimizer.zero_grad()
        head.loss(model(before.flatten(0, 1)), target.flatten(0, 1)).mean().backward()
        optimizer.step()
        schedule.step()

    rows, source, assembler = 3000, noise(3000), FrameAssembler(delays)
    recent = start.expand(rows, -1, -1)
    frames: list[torch.Tensor] = []
    for t in range(length):
        with torch.no_grad():
            column = head.sample(model(recent), Sampling(), source)
        frame = assembler.push(column)
        frames += [] if frame is None else [frame]
        begun = torch.tensor([t >= delay for delay in delays])
        recent = torch.stack([recent[:, 1], torch.where(begun, column, FILL)], 1)
    assert len(frames) == length - max(delays)
    found = torch.cat(frames)
    cells = (found * torch.tensor([16, 4, 1])).sum(1)
    return cells.bincount(minlength=64).view(4, 4, 4) / len(cells)


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    return ((a - b).abs().sum() / 2).item()


def test_delays_recover_a_correlated_joint() -> None:
    joint = (torch.randn(64, generator=torch.Generator().manual_seed(3)) * 2).softmax(0).view(4, 4, 4)
    assert distance(drawn_joint(joint, DELAYS, 700), joint) <= 0.05


def test_without_delays_only_the_marginals_are_recovered() -> None:
    joint = (torch.randn(64, generator=torch.Generator().manual_seed(3)) * 2).softmax(0).view(4, 4, 4)
    product = torch.einsum("a,b,c->abc", joint.sum((1, 2)), joint.sum((0, 2)), joint.sum((0, 1)))
    drawn = drawn_joint(joint, (0, 0, 0), 300)
    assert distance(drawn, product) <= 0.05
    assert distance(drawn, joint) > 0.2
