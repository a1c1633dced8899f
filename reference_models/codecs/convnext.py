"""A causal ConvNeXt block over time (Liu et al. 2022; in one dimension as in Vocos)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reference_models.codecs.conv import CausalConv1d, ConvState
from reference_models.codecs.streaming import Chain, Streaming


class ConvNeXt(Streaming):
    """[B, T, width] -> the same: depthwise causal convolution, LayerNorm, wide hidden layer, scaled residual."""

    def __init__(self, width: int, hidden: int, *, kernel: int = 7, layer_scale: float = 0.1) -> None:
        super().__init__()
        self.mix = CausalConv1d(width, width, kernel, groups=width)
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.scale = nn.Parameter(torch.full((width,), layer_scale))

    def forward(self, x: Tensor) -> Tensor:
        """All positions at once."""
        return self.step(x, self.start(x.shape[0]))

    def start(self, batch: int) -> ConvState:
        """The convolution's state."""
        return self.mix.start(batch)

    def step(self, x: Tensor, state: ConvState) -> Tensor:
        """The next positions."""
        mixed = self.mix.step(x.transpose(1, 2), state).transpose(1, 2)
        return x + self.scale * self.down(nn.functional.gelu(self.up(self.norm(mixed))))


def blocks(count: int, width: int, hidden: int, layer_scale: float) -> Chain:
    """`count` blocks in a row."""
    return Chain([ConvNeXt(width, hidden, layer_scale=layer_scale) for _ in range(count)])
