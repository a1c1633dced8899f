from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from codec_builders import noise

from reference_models.codecs.rvq import ResidualQuantizer
from reference_models.errors import ModelError

DIMENSION, CODEBOOKS, CARDINALITY = 6, 5, 32


def data(rows: int, seed: int) -> torch.Tensor:
    """Correlated, heavy-tailed vectors: not what a codebook is made for."""
    mixing = noise(DIMENSION, DIMENSION, seed=77)
    return noise(rows, 40, DIMENSION, seed=seed).sinh() @ mixing


@pytest.fixture(scope="module", params=[None, 4])
def trained(request: pytest.FixtureRequest) -> ResidualQuantizer:
    torch.manual_seed(0)
    quantizer = ResidualQuantizer(
        DIMENSION, CODEBOOKS, CARDINALITY, codebook_dimension=request.param, decay=0.9, dropout=0.5
    )
    if request.param is not None:
        # A projection that keeps a subspace exactly: leave inverts enter on it.
        basis = torch.linalg.qr(noise(DIMENSION, request.param, seed=5)).Q
        quantizer.enter.weight.data.copy_(basis.T)
        quantizer.leave.weight.data.copy_(basis)
    generator = torch.Generator().manual_seed(1)
    for step in range(60):
        quantizer(data(16, step), generator)
    return quantizer.eval()


@pytest.mark.parametrize("seed", [3, 10_000])
def test_error_falls_with_every_codebook_on_seen_and_unseen_data(trained: ResidualQuantizer, seed: int) -> None:
    x = data(32, seed)
    errors = [float((x - trained.decode(trained.encode(x, depth))).square().mean()) for depth in range(1, 6)]
    reachable = 0.0
    if trained.enter is not None:
        reachable = (x - trained.leave(trained.enter(x))).square().mean().item()
    errors = [error - reachable for error in errors]
    assert float(x.square().mean()) - reachable > errors[0]
    for shallow, deep in pairwise(errors):
        assert deep < 0.9 * shallow


def test_codes_of_a_depth_are_a_prefix_of_deeper_codes(trained: ResidualQuantizer) -> None:
    x = data(4, 20_000)
    full = trained.encode(x)
    assert full.shape == (4, 40, CODEBOOKS)
    assert full.dtype == torch.int64
    for depth in range(1, CODEBOOKS + 1):
        assert torch.equal(trained.encode(x, depth), full[..., :depth])


def test_decoding_is_the_sum_of_codebook_vectors(trained: ResidualQuantizer) -> None:
    codes = trained.encode(data(2, 20_000))
    inner = sum(trained.books[level].vectors[codes[..., level]] for level in range(CODEBOOKS))
    expected = inner if trained.leave is None else trained.leave(inner)
    torch.testing.assert_close(trained.decode(codes), expected)


def test_evaluation_pass_agrees_with_encode_and_decode(trained: ResidualQuantizer) -> None:
    x = data(2, 20_000)
    vectors = [book.vectors.clone() for book in trained.books]
    made = trained(x)
    assert torch.equal(made.codes, trained.encode(x))
    torch.testing.assert_close(made.latents, trained.decode(made.codes), atol=1e-4, rtol=1e-4)
    assert all(torch.equal(book.vectors, before) for book, before in zip(trained.books, vectors, strict=True))


def test_every_code_is_used_after_training(trained: ResidualQuantizer) -> None:
    codes = trained.encode(data(64, 30_000))
    for level in range(CODEBOOKS):
        assert len(codes[..., level].unique()) >= 0.9 * CARDINALITY


def test_gradients_pass_straight_through_and_commitment_is_the_mean_square_left() -> None:
    torch.manual_seed(0)
    quantizer = ResidualQuantizer(3, 2, 4).eval()
    x = noise(2, 5, 3).requires_grad_()
    made = quantizer(x)
    upstream = noise(2, 5, 3, seed=8)
    (gradient,) = torch.autograd.grad((made.latents * upstream).sum(), x, retain_graph=True)
    torch.testing.assert_close(gradient, upstream)
    first = quantizer.books[0].vectors[made.codes[..., 0]]
    second = quantizer.books[1].vectors[made.codes[..., 1]]
    left = [(x - first).square().mean(), (x - first - second).square().mean()]
    torch.testing.assert_close(made.commitment, (left[0] + left[1]) / 2)
    (gradient,) = torch.autograd.grad(made.commitment, x)
    torch.testing.assert_close(gradient, (2 * x - 2 * first - second).detach() / 30)


def test_dropout_draws_a_depth_for_each_row() -> None:
    torch.manual_seed(0)
    quantizer = ResidualQuantizer(3, 4, 8, dropout=1.0)
    made = quantizer(noise(400, 2, 3), torch.Generator().manual_seed(0))
    counts = torch.bincount(made.depth, minlength=5)
    assert int(counts[0]) == 0
    # 400 rows over 4 depths: a mean of 100, a standard deviation of 8.7.
    assert int((counts[1:] - 100).abs().max()) < 35
    used = (made.codes >= 0).sum(dim=-1)
    assert torch.equal(used, made.depth[:, None].expand(400, 2))
    row = int((made.depth == 2).nonzero()[0])
    answer = quantizer.decode(made.codes[row : row + 1, :, :2])
    torch.testing.assert_close(made.latents[row : row + 1], answer, atol=1e-5, rtol=0)


def test_no_dropout_uses_all_codebooks() -> None:
    made = ResidualQuantizer(3, 4, 8, dropout=0.0)(noise(16, 2, 3))
    assert bool((made.depth == 4).all())
    assert int(made.codes.min()) >= 0


def test_only_rows_deep_enough_move_a_codebook() -> None:
    quantizer = ResidualQuantizer(2, 2, 4, dropout=1.0, decay=0.5, dead=0.0)
    for book in quantizer.books:
        book.ready.fill_(True)
    generator = torch.Generator().manual_seed(3)
    made = quantizer(noise(50, 1, 2), generator)
    deep = int((made.depth == 2).sum())
    assert 0 < deep < 50
    # Usage starts at 1 for each of 4 codes and moves halfway to the counts of this batch.
    assert float(quantizer.books[0].usage.sum()) == pytest.approx(0.5 * 4 + 0.5 * 50)
    assert float(quantizer.books[1].usage.sum()) == pytest.approx(0.5 * 4 + 0.5 * deep)


def test_impossible_quantizers_are_refused() -> None:
    with pytest.raises(ModelError, match="codebooks"):
        ResidualQuantizer(3, 0, 8)
    with pytest.raises(ModelError, match="dropout"):
        ResidualQuantizer(3, 2, 8, dropout=1.5)
