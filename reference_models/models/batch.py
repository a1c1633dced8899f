"""What a training step is given, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from reference_models.models.conditioning import Conditions


@dataclass(frozen=True)
class Batch:
    """Sequences of one batch, padded on the right.

    `frames`: latents [batch, frames, dimensions] or codes [batch, frames, codebooks]; `lengths` [batch] counts the
    real ones. `conditions`: one a row, for models that take any. `words` [batch, frames]: tokens of the inner
    monologue, negative where there is none.
    """

    frames: Tensor
    lengths: Tensor
    conditions: Sequence[Conditions] | None = None
    words: Tensor | None = None

    def real(self) -> Tensor:
        """True at real frames, [batch, frames]."""
        return torch.arange(self.frames.shape[1], device=self.lengths.device)[None] < self.lengths[:, None]


@dataclass(frozen=True)
class Losses:
    """`total` is what is minimised; `parts` are its unweighted terms, for the log."""

    total: Tensor
    parts: Mapping[str, Tensor]
