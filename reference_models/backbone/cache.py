"""The static key/value cache of a transformer: allocated once, written in place."""

from __future__ import annotations

import torch
from torch import Tensor

from reference_models.backbone.rotary import rotations
from reference_models.errors import ModelError


class Cache:
    """Keys and values of every layer, [batch, heads, 2, length, channels], and where the next position goes.

    With a `window`, only what a later position can still see is kept: when the memory is full, the last window - 1
    positions move to its front. Without one, a position beyond `length` is a ModelError.
    """

    def __init__(
        self,
        layers: int,
        batch: int,
        heads: int,
        length: int,
        channels: int,
        *,
        window: int | None,
        rope_base: float,
        padding: Tensor | None,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        shape = (batch, heads, 2, length, channels)
        self.memory = [torch.zeros(shape, device=device, dtype=dtype) for _ in range(layers)]
        self.length = length
        self.window = window
        self.padding = padding
        self.position = 0
        """How many positions were seen since the start: the rotary position of the next one."""
        self.used = 0
        """How many positions are in memory."""
        self._rope_base = rope_base
        self._turns = rotations(0, length, channels, rope_base, device)

    @property
    def dropped(self) -> int:
        """How many of the oldest positions are no longer in memory."""
        return self.position - self.used

    def room_for(self, count: int) -> None:
        """Make room for `count` more positions. Raises ModelError when the context is full."""
        if self.used + count <= self.length:
            return
        if self.window is None:
            asked = self.used + count
            raise ModelError(f"{asked} positions do not fit the context of {self.length}; shorten prompt or duration")
        keep = min(self.window - 1, self.used)
        for memory in self.memory:
            memory[:, :, :, :keep] = memory[:, :, :, self.used - keep : self.used].clone()
        self.used = keep

    def turns(self, count: int) -> Tensor:
        """Rotations of the next `count` positions."""
        end = self.position + count
        if end > self._turns.shape[0]:
            known = self._turns.shape[0]
            channels = 2 * self._turns.shape[-1]
            more = rotations(known, max(known, end - known), channels, self._rope_base, self._turns.device)
            self._turns = torch.cat([self._turns, more])
        return self._turns[self.position : end]

    def advance(self, count: int) -> None:
        """The next `count` positions are written in every layer."""
        self.position += count
        self.used += count
