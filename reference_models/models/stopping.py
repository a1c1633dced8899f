"""The end-of-speech target: 1 on the first frame after the last (Pocket TTS's training code)."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that every reader knows


def stop_loss(logits: Tensor, lengths: Tensor) -> Tensor:
    """Mean binary cross-entropy in nats over the positions 0 to length, of which the last is the target.

    `logits` [batch, positions] with positions at least the longest length plus one; `lengths` [batch].
    """
    place = lengths.new_ones(logits.shape[1]).cumsum(0)[None] - 1
    target = (place == lengths[:, None]).to(logits.dtype)
    counted = place <= lengths[:, None]
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none")[counted].mean()
