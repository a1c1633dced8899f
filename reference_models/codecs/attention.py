"""The causal transformer as a stage of a convolutional codec."""

from __future__ import annotations

from torch import Tensor

from reference_models.backbone.cache import Cache
from reference_models.backbone.transformer import Transformer
from reference_models.codecs.streaming import Streaming


class AttentionStage(Streaming):
    """A windowed transformer on [B, channels, T]; a stream may be of any length, its memory does not grow."""

    def __init__(
        self, channels: int, layers: int, heads: int, feedforward: int, window: int, layer_scale: float | None
    ) -> None:
        super().__init__()
        self.transformer = Transformer(channels, layers, heads, feedforward, window, layer_scale=layer_scale)

    def forward(self, x: Tensor) -> Tensor:
        """All positions at once."""
        return self.transformer(x.transpose(1, 2)).transpose(1, 2)

    def start(self, batch: int) -> Cache:
        """An empty cache of the window's size."""
        return self.transformer.start(batch)

    def step(self, x: Tensor, state: Cache) -> Tensor:
        """The next positions."""
        return self.transformer.step(x.transpose(1, 2), state).transpose(1, 2)
