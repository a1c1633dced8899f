"""Which clips make the batch of a step: a function of the seed and the step alone, so that a resumed training goes on
with the very batches that it would have seen."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence

import torch

POOL = 8
"""Batches that are formed together: clips of like length share one, which saves padding."""


def seeded(*parts: object) -> torch.Generator:
    """A generator on the CPU, seeded by the sha256 of the parts."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


class Order:
    """Endless batches of `batch` indices into clips of `lengths`: each epoch is another permutation of all clips."""

    def __init__(self, lengths: Sequence[int], batch: int, seed: int) -> None:
        self._lengths, self._batch, self._seed = list(lengths), batch, seed
        self._epoch = functools.lru_cache(maxsize=2)(self._permutation)

    def at(self, step: int) -> list[int]:
        """The indices of step `step`, from 0."""
        pool, place = divmod(step, POOL)
        size = POOL * self._batch
        members = sorted((self._index(pool * size + one) for one in range(size)), key=lambda one: self._lengths[one])
        chosen = int(torch.randperm(POOL, generator=seeded(self._seed, "pool", pool))[place])
        return members[chosen * self._batch : (chosen + 1) * self._batch]

    def _index(self, place: int) -> int:
        epoch, offset = divmod(place, len(self._lengths))
        return self._epoch(epoch)[offset]

    def _permutation(self, epoch: int) -> list[int]:
        order: list[int] = torch.randperm(len(self._lengths), generator=seeded(self._seed, "epoch", epoch)).tolist()
        return order
