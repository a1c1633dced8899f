from __future__ import annotations

import random

import pytest
import torch

from reference_models.errors import ModelError
from reference_models.heads.delays import FrameAssembler, apply_delays, revert_delays


def test_the_published_patterns_as_tables() -> None:
    codes = torch.arange(1, 4)[None, :, None] * 10 + torch.arange(4)  # frame s, codebook k: 10 (s + 1) + k
    assert apply_delays(codes, [0, 1, 2, 3], -1)[0].T.tolist() == [
        [10, 20, 30, -1, -1, -1],
        [-1, 11, 21, 31, -1, -1],
        [-1, -1, 12, 22, 32, -1],
        [-1, -1, -1, 13, 23, 33],
    ]
    assert apply_delays(codes, [0, 1, 1, 1], 99)[0].T.tolist() == [
        [10, 20, 30, 99],
        [99, 11, 21, 31],
        [99, 12, 22, 32],
        [99, 13, 23, 33],
    ]


@pytest.mark.parametrize("seed", range(40))
def test_reverting_and_assembling_invert_random_delays(seed: int) -> None:
    chance = random.Random(seed)
    batch, length, books = chance.randint(1, 3), chance.randint(0, 9), chance.randint(1, 6)
    delays = [chance.randint(0, 5) for _ in range(books)]
    codes = torch.randint(0, 1000, (batch, length, books), generator=torch.Generator().manual_seed(seed))
    columns = apply_delays(codes, delays, -1)
    assert columns.shape == (batch, length + max(delays), books)
    assert (columns >= 0).sum() == codes.numel()  # nothing is lost, the rest is fill
    assert torch.equal(revert_delays(columns, delays), codes)

    assembler = FrameAssembler(delays)
    pushed = [assembler.push(columns[:, t]) for t in range(columns.shape[1])]
    assert [frame is None for frame in pushed] == [t < max(delays) for t in range(columns.shape[1])]
    frames = [frame for frame in pushed if frame is not None]
    assert len(frames) == length
    for s, frame in enumerate(frames):
        assert torch.equal(frame, codes[:, s])


def test_no_delays_change_nothing() -> None:
    codes = torch.randint(0, 9, (2, 5, 3), generator=torch.Generator().manual_seed(2))
    assert torch.equal(apply_delays(codes, [0, 0, 0], -1), codes)
    frame = FrameAssembler([0, 0, 0]).push(codes[:, 0])
    assert frame is not None
    assert torch.equal(frame, codes[:, 0])


def test_what_does_not_fit_is_refused() -> None:
    codes = torch.zeros(1, 4, 3, dtype=torch.long)
    with pytest.raises(ModelError, match="at least 0"):
        apply_delays(codes, [0, -1, 0], 0)
    with pytest.raises(ModelError, match="at least 0"):
        FrameAssembler([])
    with pytest.raises(ModelError, match="2 delays need"):
        apply_delays(codes, [0, 1], 0)
    with pytest.raises(ModelError, match="fewer than the longest"):
        revert_delays(codes, [0, 1, 5])
    assembler = FrameAssembler([0, 1, 2])
    with pytest.raises(ModelError, match="column has shape"):
        assembler.push(codes[:, 0, :2])
    assembler.push(codes[:, 0])
    with pytest.raises(ModelError, match="column has shape"):
        assembler.push(codes[:, 0].repeat(2, 1))
