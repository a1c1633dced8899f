"""Causal convolutions that stream: an output never needs an input that comes after its own step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from reference_models.codecs.streaming import Streaming
from reference_models.errors import ModelError

Pad = Literal["zeros", "replicate"]


@dataclass
class ConvState:
    """The last inputs, [batch, channels, span - stride]; None before the first input of a replicating convolution."""

    previous: Tensor | None


class CausalConv1d(Streaming):
    """Convolution over time, padded on the left only.

    [B, inputs, T] -> [B, outputs, T / stride], T a multiple of `stride`. With `pad` "replicate" the first input
    stands for all that lie before it; with "zeros" they are zero.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        pad: Pad = "zeros",
    ) -> None:
        super().__init__()
        span = (kernel - 1) * dilation + 1
        if span < stride:
            raise ModelError(
                f"a causal convolution that spans {span} steps cannot have stride {stride}: lower the stride"
            )
        self.inputs = inputs
        self.stride = stride
        self.past = span - stride
        self.pad = pad
        self.conv = nn.Conv1d(inputs, outputs, kernel, stride, dilation=dilation, groups=groups, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """The whole output. Raises ModelError if T is not a positive multiple of the stride."""
        return self.step(x, self.start(x.shape[0]))

    def start(self, batch: int) -> ConvState:
        """The state before the first input."""
        if self.pad == "replicate":
            return ConvState(None)
        weight = self.conv.weight
        return ConvState(torch.zeros(batch, self.inputs, self.past, device=weight.device, dtype=weight.dtype))

    def step(self, x: Tensor, state: ConvState) -> Tensor:
        """The outputs of the next T inputs. Raises ModelError if T is not a positive multiple of the stride."""
        if x.shape[-1] == 0 or x.shape[-1] % self.stride:
            raise ModelError(
                f"{x.shape[-1]} steps into a convolution of stride {self.stride}: give a positive multiple"
            )
        if self.past:
            before = x[..., :1].expand(-1, -1, self.past) if state.previous is None else state.previous
            x = torch.cat([before, x], dim=-1)
            state.previous = x[..., -self.past :]
        return self.conv(x)


@dataclass
class TransposedState:
    """What past inputs add to outputs yet to come, without bias: [batch, outputs, kernel - stride]."""

    partial: Tensor


class CausalConvTranspose1d(Streaming):
    """Transposed convolution, cut on the right: [B, inputs, T] -> [B, outputs, T * stride]."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int, groups: int = 1, bias: bool = True
    ) -> None:
        super().__init__()
        if kernel < stride:
            raise ModelError(f"a transposed convolution of kernel {kernel} leaves gaps at stride {stride}")
        self.outputs = outputs
        self.stride = stride
        self.future = kernel - stride
        self.conv = nn.ConvTranspose1d(inputs, outputs, kernel, stride, groups=groups, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """The whole output."""
        return self.conv(x)[..., : x.shape[-1] * self.stride]

    def start(self, batch: int) -> TransposedState:
        """The state before the first input."""
        weight = self.conv.weight
        return TransposedState(torch.zeros(batch, self.outputs, self.future, device=weight.device, dtype=weight.dtype))

    def step(self, x: Tensor, state: TransposedState) -> Tensor:
        """The outputs that the next inputs complete."""
        y = functional.conv_transpose1d(x, self.conv.weight, None, self.stride, groups=self.conv.groups)
        y[..., : self.future] += state.partial
        done = x.shape[-1] * self.stride
        state.partial = y[..., done:]
        y = y[..., :done]
        return y if self.conv.bias is None else y + self.conv.bias[:, None]
