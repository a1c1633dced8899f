from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from scipy.stats import chisquare

from reference_models.errors import ModelError
from reference_models.heads.protocol import Sampling
from reference_models.heads.rq_depth import DepthSteps, DepthTransformer
from reference_models.noise import Noise

BOOKS, CARDINALITY = 3, 5
ALL = torch.tensor(list(itertools.product(range(CARDINALITY), repeat=BOOKS)))


def small(seed: int = 0, books: int = 5, activation: str = "swiglu") -> DepthTransformer:
    torch.manual_seed(seed)
    head = DepthTransformer(7, books, 11, dim=16, layers=2, heads=4, feedforward=24, activation=activation)
    for name, parameter in head.named_parameters():
        if name.endswith("norm"):
            torch.nn.init.uniform_(parameter, 0.5, 1.5)  # they start at 1, which would hide a wrong one
    return head


def inputs(rows: int, books: int = 5, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, 7, generator=generator), torch.randint(0, 11, (rows, books), generator=generator)


def noise(rows: int, seed: int = 0) -> Noise:
    return Noise([(f"item {row}", seed) for row in range(rows)])


@pytest.mark.parametrize("activation", ["swiglu", "gelu"])
@pytest.mark.parametrize("with_first", [False, True])
def test_steps_equal_the_whole_frame_at_once(activation: str, with_first: bool) -> None:
    head, (z, codes) = small(activation=activation), inputs(6)
    first = torch.randn(6, 16, generator=torch.Generator().manual_seed(2)) if with_first else None
    with torch.no_grad():
        whole = head.logits(z, codes, first).log_softmax(-1)
        steps = DepthSteps(head, z, 5, first)
        stepped = [steps.logits(None if k == 0 else codes[:, k - 1]).log_softmax(-1) for k in range(5)]
    torch.testing.assert_close(torch.stack(stepped, 1), whole, atol=1e-5, rtol=0)
    if with_first:
        assert (whole - head.logits(z, codes).log_softmax(-1)).abs().amax((0, 2)).min() > 1e-3


def test_logits_depend_on_the_codes_before_and_on_no_others() -> None:
    head, (z, codes) = small(), inputs(4)
    base = head.logits(z, codes)
    for k in range(5):
        changed = codes.clone()
        changed[:, k] = (changed[:, k] + 1) % 11
        moved = (head.logits(z, changed) - base).abs().amax((0, 2)) > 1e-5
        assert moved.tolist() == [book > k for book in range(5)]


def test_every_weight_belongs_to_one_codebook() -> None:
    head, (z, codes) = small(), inputs(4)
    for k in range(5):
        head.zero_grad()
        target = torch.full_like(codes, -1)
        target[:, k] = codes[:, k]
        logits = head.logits(z, codes)[:, k]
        logits.square().sum().backward()
        for name, parameter in head.named_parameters():
            used = parameter.grad.flatten(1).abs().sum(1) > 0
            books = range(parameter.shape[0])
            if name in ("norm", "outward"):
                assert used.tolist() == [book == k for book in books], name
            else:  # a codebook before k acts through its keys and values; in the last layer through nothing else
                reach = "layers.1.qkv", "layers.1.attention_norm", "inward", "embeddings"
                own = k if name != "embeddings" else k - 1
                last_layer_only = name.startswith("layers.1") and name not in reach
                assert used.tolist() == [book == k if last_layer_only else book <= own for book in books], name


def test_a_missing_code_adds_nothing() -> None:
    head, (z, codes) = small(), inputs(3)
    codes[:, 1] = -1
    with_none = head.logits(z, codes)
    with torch.no_grad():
        head.embeddings[1] = 0
    codes[:, 1] = 4
    torch.testing.assert_close(head.logits(z, codes), with_none)


def test_loss_counts_codes_that_are_there() -> None:
    head, (z, codes) = small(), inputs(3)
    codes[1, 2:] = -1
    codes[2] = -1
    logs = head.logits(z, codes).log_softmax(-1)
    picked = [-sum(logs[row, k, codes[row, k]] for k in range(count)) / 5 for row, count in ((0, 5), (1, 2))]
    loss = head.loss(z, codes)
    torch.testing.assert_close(loss[:2], torch.stack(picked))
    assert loss[2] == 0


def test_samples_belong_to_their_rows() -> None:
    head, (z, _) = small(), inputs(8)
    samples = [(f"item {row}", 3) for row in range(8)]
    sampling = Sampling(temperature=0.8, top_k=6)
    together = head.sample(z, sampling, Noise(samples))
    assert torch.equal(head.sample(z, sampling, Noise(samples)), together)
    order = [5, 2, 7, 0, 1, 6, 3, 4]
    assert torch.equal(head.sample(z[order], sampling, Noise([samples[i] for i in order])), together[order])
    for row in range(8):
        assert torch.equal(head.sample(z[row : row + 1], sampling, Noise([samples[row]])), together[row : row + 1])
    assert not torch.equal(head.sample(z, sampling, noise(8, seed=4)), together)


def test_logits_do_not_depend_on_the_batch() -> None:
    head, (z, codes) = small(), inputs(9)
    together = head.logits(z, codes)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(head.logits(z[order], codes[order]), together[order], atol=1e-4, rtol=0)
    alone = torch.cat([head.logits(z[i : i + 1], codes[i : i + 1]) for i in range(9)])
    torch.testing.assert_close(alone, together, atol=1e-4, rtol=0)


def test_depth_draws_the_first_codebooks() -> None:
    head, (z, _) = small(), inputs(6)
    whole = head.sample(z, Sampling(), noise(6))
    assert whole.shape == (6, 5)
    for depth in range(1, 6):
        assert torch.equal(head.sample(z, Sampling(depth=depth), noise(6)), whole[:, :depth])
        assert head.evaluations(Sampling(depth=depth)) == depth
    assert head.evaluations(Sampling()) == 5


def test_temperature_zero_follows_the_likeliest_path() -> None:
    head, (z, _) = small(), inputs(6)
    codes = head.sample(z, Sampling(temperature=0), noise(6))
    assert torch.equal(head.logits(z, codes).argmax(-1), codes)


def test_guidance_mixes_the_logits_of_both_conditions() -> None:
    head, (z, _) = small(), inputs(6)
    null = torch.zeros(6, 7)
    codes = head.sample(z, Sampling(temperature=0, cfg=4.0), noise(6), null)
    mixed = head.logits(null, codes) + 4 * (head.logits(z, codes) - head.logits(null, codes))
    assert torch.equal(mixed.argmax(-1), codes)
    assert not torch.equal(codes, head.sample(z, Sampling(temperature=0), noise(6)))
    # Equal conditions: the weight has no effect.
    plain = head.sample(z, Sampling(), noise(6))
    assert torch.equal(head.sample(z, Sampling(cfg=3.0), noise(6), z), plain)
    first = torch.randn(6, 16, generator=torch.Generator().manual_seed(5))
    started = head.sample(z, Sampling(), noise(6), first=first)
    assert torch.equal(head.sample(z, Sampling(cfg=3.0), noise(6), z, first), started)
    assert not torch.equal(started, plain)


def test_one_codebook_is_a_plain_softmax() -> None:
    head, (z, codes) = small(books=1), inputs(4, books=1)
    assert head.logits(z, codes).shape == (4, 1, 11)
    assert head.sample(z, Sampling(), noise(4)).shape == (4, 1)


def test_published_sizes_have_the_parameters_they_should() -> None:
    with torch.device("meta"):
        head = DepthTransformer(4096, 8, 2048, dim=1024, layers=6, heads=16, feedforward=2816)
    layer = 4 * 1024**2 + 3 * 1024 * 2816 + 2 * 1024
    book = 4096 * 1024 + 6 * layer + 1024 + 1024 * 2048
    assert sum(p.numel() for p in head.parameters()) == 8 * book + 7 * 2048 * 1024


@pytest.mark.parametrize(
    "build",
    [
        lambda: DepthTransformer(7, 5, 11, dim=16, layers=2, heads=3, feedforward=24),
        lambda: DepthTransformer(7, 0, 11, dim=16, layers=2, heads=4, feedforward=24),
        lambda: DepthTransformer(7, 5, 11, dim=16, layers=2, heads=4, feedforward=24, activation="relu"),
        lambda: small().sample(inputs(2)[0], Sampling(depth=6), noise(2)),
        lambda: small().sample(inputs(2)[0], Sampling(temperature=-1), noise(2)),
        lambda: small().sample(inputs(2)[0], Sampling(cfg=2), noise(2)),
        lambda: small().sample(inputs(2)[0], Sampling(), noise(3)),
        lambda: small().loss(inputs(2)[0], torch.full((2, 5), 11)),
        lambda: small().loss(inputs(2)[0], torch.zeros(2, 4, dtype=torch.long)),
    ],
)
def test_bad_input_is_refused(build: Callable[[], object]) -> None:
    with pytest.raises(ModelError):
        build()


def test_a_correlated_joint_is_recovered() -> None:
    torch.manual_seed(0)
    # Two conditions, each with a joint of its own over 125 frames; far from the product of its marginals.
    joints = (torch.randn(2, len(ALL)) * 2).softmax(1)
    grid = joints.view(2, 5, 5, 5)
    marginals = [grid.sum((2, 3)), grid.sum((1, 3)), grid.sum((1, 2))]
    product = torch.einsum("ca,cb,cd->cabd", *marginals).flatten(1)
    assert (joints - product).abs().sum(1).min() / 2 > 0.2

    head = DepthTransformer(2, BOOKS, CARDINALITY, dim=32, layers=2, heads=4, feedforward=64)
    optimizer = torch.optim.Adam(head.parameters(), lr=4e-3)
    steps, rows = 400, 512
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        which = torch.randint(0, 2, (rows,))
        codes = ALL[torch.multinomial(joints[which], 1)[:, 0]]
        optimizer.zero_grad()
        head.loss(torch.eye(2)[which], codes).mean().backward()
        optimizer.step()
        schedule.step()

    for which in range(2):
        z = torch.eye(2)[which]
        with torch.no_grad():
            logs = head.logits(z.expand(len(ALL), -1), ALL).log_softmax(-1)
        exact = logs.gather(-1, ALL[..., None]).sum((1, 2)).double().exp()
        assert exact.sum() == pytest.approx(1.0, abs=1e-5)
        assert (exact - joints[which]).abs().sum() / 2 <= 0.05

        drawn = head.sample(z.expand(5000, -1), Sampling(), noise(5000, seed=which))
        counts = (drawn * torch.tensor([25, 5, 1])).sum(1).bincount(minlength=125).double()
        common = exact * 5000 >= 5  # the chi-square needs counts; the rest is one cell
        seen = torch.cat([counts[common], counts[~common].sum()[None]])
        expected = torch.cat([exact[common], exact[~common].sum()[None]]) / exact.sum() * 5000
        assert chisquare(seen.numpy(), expected.numpy()).pvalue > 1e-3
