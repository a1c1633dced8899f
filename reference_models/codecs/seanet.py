"""The SEANet form of encoder and decoder (Tagliasacchi et al. 2020; causal as in SoundStream, EnCodec and Mimi).

Strided convolutions bring the waveform to `dimension` channels at sample_rate / prod(ratios); transformer layers at
that rate; then, in Mimi, one more strided convolution to the frame rate. The decoder mirrors it. Sizes of the codecs
of CALM and Pocket TTS: see `presets/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from torch import Tensor, nn

from reference_models.codecs.attention import AttentionStage
from reference_models.codecs.conv import CausalConv1d, CausalConvTranspose1d
from reference_models.codecs.decoded import Decoded
from reference_models.codecs.streaming import Chain, Pointwise, Residual, Streaming
from reference_models.errors import ModelError


@dataclass(frozen=True)
class SEANetShape:
    """What encoder and decoder share.

    `ratios` are the upsampling factors in the decoder's order; channels start at `filters` at the sample rate and
    double at every ratio. `stride` is the extra factor between the transformer's rate and the frame rate (1: none).
    `layers` transformer layers attend to the last `window` positions at the transformer's rate.
    """

    ratios: Sequence[int]
    filters: int = 64
    dimension: int = 512
    kernel: int = 7
    last_kernel: int = 3
    residual_kernel: int = 3
    residual_layers: int = 1
    dilation_base: int = 2
    compress: int = 2
    stride: int = 1
    layers: int = 0
    heads: int = 8
    feedforward: int = 2048
    layer_scale: float | None = 0.01
    window: int = 250

    def __post_init__(self) -> None:
        if not self.ratios or min(self.ratios) < 1 or self.stride < 1:
            raise ModelError(f"ratios {tuple(self.ratios)}, stride {self.stride}: give positive factors")
        if self.filters < self.compress or self.dimension % self.heads:
            raise ModelError(
                f"{self.filters} filters / {self.compress}, dimension {self.dimension} / {self.heads} heads"
            )

    @property
    def frame_size(self) -> int:
        """Samples of one frame."""
        return prod(self.ratios) * self.stride

    def residuals(self, channels: int) -> list[Streaming]:
        """The residual blocks at one rate: ELU, wide dilated convolution, ELU, convolution of kernel 1."""
        hidden = channels // self.compress
        blocks: list[Streaming] = []
        for layer in range(self.residual_layers):
            wide = CausalConv1d(channels, hidden, self.residual_kernel, dilation=self.dilation_base**layer)
            blocks.append(Residual(Chain([elu(), wide, elu(), CausalConv1d(hidden, channels, 1)])))
        return blocks

    def attention(self) -> list[Streaming]:
        """The transformer, if there is one."""
        if self.layers == 0:
            return []
        return [
            AttentionStage(self.dimension, self.layers, self.heads, self.feedforward, self.window, self.layer_scale)
        ]


class SEANetEncoder(nn.Module):
    """Audio [B, 1, S * frame_size] -> features [B, S, dimension]."""

    def __init__(self, shape: SEANetShape) -> None:
        super().__init__()
        self.frame_size = shape.frame_size
        self.features = shape.dimension
        channels = shape.filters
        stages: list[Streaming] = [CausalConv1d(1, channels, shape.kernel)]
        for ratio in reversed(shape.ratios):
            stages += shape.residuals(channels)
            stages += [elu(), CausalConv1d(channels, 2 * channels, 2 * ratio, stride=ratio)]
            channels *= 2
        stages += [elu(), CausalConv1d(channels, shape.dimension, shape.last_kernel)]
        stages += shape.attention()
        if shape.stride > 1:
            wide, width = 2 * shape.stride, shape.dimension
            stages.append(CausalConv1d(width, width, wide, stride=shape.stride, bias=False, pad="replicate"))
        self.chain = Chain(stages)

    def forward(self, audio: Tensor) -> Tensor:
        """The features of whole frames. Raises ModelError if the samples are not a multiple of `frame_size`."""
        return self.chain(audio).transpose(1, 2)


@dataclass
class SEANetState:
    """A streaming decode: the batch and the memory of every stage."""

    batch: int
    stages: list[Any]


class SEANetDecoder(nn.Module):
    """Latents [B, S, latents] -> audio [B, 1, S * frame_size], without latency."""

    latency = 0

    def __init__(self, shape: SEANetShape, latents: int) -> None:
        super().__init__()
        self.frame_size = shape.frame_size
        self.latents = latents
        stages: list[Streaming] = [CausalConv1d(latents, shape.dimension, 1, bias=False)]
        if shape.stride > 1:
            wide, width = 2 * shape.stride, shape.dimension
            # One filter per channel, as in Mimi.
            stages.append(CausalConvTranspose1d(width, width, wide, stride=shape.stride, groups=width, bias=False))
        stages += shape.attention()
        channels = shape.filters * 2 ** len(shape.ratios)
        stages.append(CausalConv1d(shape.dimension, channels, shape.kernel))
        for ratio in shape.ratios:
            stages += [elu(), CausalConvTranspose1d(channels, channels // 2, 2 * ratio, stride=ratio)]
            channels //= 2
            stages += shape.residuals(channels)
        stages += [elu(), CausalConv1d(channels, 1, shape.last_kernel)]
        self.chain = Chain(stages)

    def forward(self, latents: Tensor) -> Tensor:
        """All audio at once."""
        return self.chain(latents.transpose(1, 2))

    def trained(self, latents: Tensor, audio: Tensor) -> Decoded:
        """The audio; there is nothing else to compare."""
        return Decoded(self(latents))

    def start(self, batch: int) -> SEANetState:
        """The state before the first frame."""
        return SEANetState(batch, self.chain.start(batch))

    def step(self, latents: Tensor, state: SEANetState) -> Tensor:
        """The samples [B, 1, n * frame_size] of the next n frames."""
        return self.chain.step(latents.transpose(1, 2), state.stages)

    def flush(self, state: SEANetState) -> Tensor:
        """Nothing is left over: [B, 1, 0]."""
        weight = next(self.parameters())
        return weight.new_zeros(state.batch, 1, 0)


def elu() -> Pointwise:
    """The activation of SEANet."""
    return Pointwise(nn.ELU())
