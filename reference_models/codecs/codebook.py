"""One codebook that follows its data: first codes by k-means, then an exponential mean, dead codes replaced."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from reference_models.errors import ModelError

_LLOYD_ROUNDS = 10


class Codebook(nn.Module):
    """`cardinality` vectors of `dimension` numbers.

    Each code keeps `usage`, the exponential mean (`decay`) of how many vectors of a batch chose it; its vector is the
    exponential mean of those vectors (van den Oord et al., "Neural Discrete Representation Learning", appendix A.1).
    The sums need no buffer: they are `usage * vectors`. A code whose usage falls under `dead` times the fair share
    (total usage / cardinality) becomes a random vector of the batch (Zeghidour et al., "SoundStream").
    """

    vectors: Tensor
    usage: Tensor
    ready: Tensor

    def __init__(self, dimension: int, cardinality: int, *, decay: float = 0.99, dead: float = 0.02) -> None:
        super().__init__()
        if not 0.0 <= decay < 1.0 or not 0.0 <= dead < 1.0:
            raise ModelError(f"codebook decay {decay}, dead {dead}: give shares from 0 to below 1")
        self.decay = decay
        self.dead = dead
        self.register_buffer("vectors", torch.randn(cardinality, dimension))
        self.register_buffer("usage", torch.ones(cardinality))
        self.register_buffer("ready", torch.zeros((), dtype=torch.bool))

    def nearest(self, x: Tensor) -> Tensor:
        """The index of the closest vector in squared distance: [..., dimension] -> [...], int64."""
        # |x|^2 is the same for all codes, so it need not be known.
        return torch.argmin(self.vectors.square().sum(dim=-1) - 2.0 * x @ self.vectors.T, dim=-1)

    def follow(self, x: Tensor, generator: torch.Generator | None = None) -> None:
        """Moves the codes by one batch of vectors [N, dimension]; the first batch places them."""
        with torch.no_grad():
            if not bool(self.ready):
                self._place(x, generator)
            count, total = self._assigned(x)
            usage = self.decay * self.usage + (1.0 - self.decay) * count
            weighed = self.decay * self.usage[:, None] * self.vectors + (1.0 - self.decay) * total
            alive = usage >= self.dead * usage.mean()
            # With dead = 0 a usage may fade to 0 and keeps its vector.
            self.vectors.copy_(torch.where(usage[:, None] > 0.0, weighed / usage[:, None], self.vectors))
            self.usage.copy_(torch.where(alive, usage, usage.mean()))
            if not bool(alive.all()):
                self.vectors[~alive] = _drawn(x, int((~alive).sum()), generator)

    def _place(self, x: Tensor, generator: torch.Generator | None) -> None:
        self.vectors.copy_(_drawn(x, len(self.vectors), generator))
        for _ in range(_LLOYD_ROUNDS):
            count, total = self._assigned(x)
            self.vectors.copy_(torch.where(count[:, None] > 0, total / count.clamp(min=1)[:, None], self.vectors))
        self.usage.copy_(self._assigned(x)[0])
        self.ready.fill_(True)

    def _assigned(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """How many vectors chose each code, [cardinality], and their sum, [cardinality, dimension]."""
        chosen = functional.one_hot(self.nearest(x), len(self.vectors)).to(x.dtype)
        return chosen.sum(dim=0), chosen.T @ x


def _drawn(x: Tensor, count: int, generator: torch.Generator | None) -> Tensor:
    """`count` rows of x, different ones as long as there are enough."""
    order = torch.randperm(len(x), generator=generator)
    if count > len(x):
        more = torch.randint(len(x), (count - len(x),), generator=generator)
        order = torch.cat([order, more])
    return x[order[:count].to(x.device)]
