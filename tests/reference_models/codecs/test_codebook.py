from __future__ import annotations

import pytest
import torch
from codec_builders import noise

from reference_models.codecs.codebook import Codebook
from reference_models.errors import ModelError

CENTRES = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])


def placed(vectors: torch.Tensor, usage: torch.Tensor, decay: float, dead: float) -> Codebook:
    book = Codebook(vectors.shape[1], len(vectors), decay=decay, dead=dead)
    book.vectors.copy_(vectors)
    book.usage.copy_(usage)
    book.ready.fill_(True)
    return book


def test_nearest_equals_brute_force() -> None:
    book = Codebook(5, 32)
    x = noise(3, 7, 5)
    torch.testing.assert_close(book.nearest(x), torch.cdist(x, book.vectors.expand(3, 32, 5)).argmin(dim=-1))


def test_one_step_is_the_exponential_mean() -> None:
    book = placed(CENTRES, torch.tensor([4.0, 4.0, 4.0, 4.0]), decay=0.9, dead=0.0)
    book.follow(torch.tensor([[1.0, 0.0], [3.0, 0.0], [9.0, 11.0]]))
    # Two vectors of sum (4, 0) chose the first code: usage 0.9 * 4 + 0.1 * 2, sum 0.1 * 4.
    torch.testing.assert_close(book.usage, torch.tensor([3.8, 3.6, 3.6, 3.7]))
    torch.testing.assert_close(book.vectors[0], torch.tensor([0.4 / 3.8, 0.0]))
    torch.testing.assert_close(book.vectors[3], torch.tensor([(36.0 + 0.9) / 3.7, (36.0 + 1.1) / 3.7]))
    torch.testing.assert_close(book.vectors[1:3], CENTRES[1:3])


def test_the_first_batch_places_the_codes_on_its_clusters() -> None:
    x = (CENTRES[:, None] + 0.1 * noise(4, 50, 2)).flatten(0, 1)
    found = []
    for seed in range(10):
        book = Codebook(2, 4)
        book.follow(x, torch.Generator().manual_seed(seed))
        assert bool(book.ready)
        for _ in range(20):
            book.follow(x, torch.Generator().manual_seed(seed))
        found.append(float((x - book.vectors[book.nearest(x)]).square().sum(dim=-1).mean()))
    # Four clusters of variance 0.01 + 0.01 around their means; Lloyd may stick, so one of several starts must find all.
    assert min(found) == pytest.approx(0.02, rel=0.2)


def test_a_dead_code_comes_back_on_the_data() -> None:
    far = torch.tensor([[1e3, 1e3]])
    book = placed(torch.cat([CENTRES[:1], far]), torch.tensor([1.0, 1.0]), decay=0.5, dead=0.1)
    x = 0.1 * noise(64, 2)
    generator = torch.Generator().manual_seed(0)
    book.follow(x, generator)
    # Usages 0.5 + 32 and 0.5: the second is under a tenth of their mean, 16.5; it gets that and a vector of the batch.
    assert float(book.usage[1]) == 16.5
    assert bool((x == book.vectors[1]).all(dim=-1).any())
    book.follow(x, generator)
    assert float(book.vectors.abs().max()) < 1.0
    assert len(book.nearest(x).unique()) == 2


def test_without_revival_a_dead_code_stays() -> None:
    far = torch.tensor([[1e3, 1e3]])
    book = placed(torch.cat([CENTRES[:1], far]), torch.tensor([1.0, 1.0]), decay=0.5, dead=0.0)
    for _ in range(300):  # usage underflows to 0 on the way
        book.follow(0.1 * noise(64, 2))
    assert float(book.usage[1]) == 0.0
    torch.testing.assert_close(book.vectors[1:], far)


def test_fewer_vectors_than_codes_still_give_a_codebook() -> None:
    book = Codebook(2, 16)
    book.follow(CENTRES, torch.Generator().manual_seed(0))
    assert bool(torch.isfinite(book.vectors).all())
    torch.testing.assert_close(book.vectors[book.nearest(CENTRES)], CENTRES)


def test_impossible_shares_are_refused() -> None:
    with pytest.raises(ModelError, match="decay"):
        Codebook(2, 4, decay=1.0)
