"""The network of the continuous heads: a residual MLP whose blocks are scaled, shifted and gated by the condition."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from reference_models.errors import ModelError

FREQUENCIES = 128
LONGEST_PERIOD = 10_000.0
REMEMBERED = 256


class TimeEmbedding(nn.Module):
    """A time as a vector: cosines and sines, two linear layers, and a division by the spread (Pocket TTS)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(2 * FREQUENCIES, width)
        self.second = nn.Linear(width, width)
        self.gain = nn.Parameter(torch.ones(width))
        powers = torch.arange(FREQUENCIES) / FREQUENCIES
        self.register_buffer("frequencies", torch.exp(-math.log(LONGEST_PERIOD) * powers), persistent=False)

    def forward(self, time: Tensor) -> Tensor:
        """`time` [N, 1] to [N, width]."""
        angles = time * self.frequencies.to(time.dtype)
        hidden = self.second(F.silu(self.first(torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1))))
        return hidden * (self.gain * torch.rsqrt(hidden.var(dim=-1, keepdim=True) + 1e-5))


class Block(nn.Module):
    """`x + gate * MLP(scale * norm(x) + shift)`."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm_weight = nn.Parameter(torch.ones(width))
        self.norm_bias = nn.Parameter(torch.zeros(width))
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor, gate: Tensor) -> Tensor:
        """All [N, width] to [N, width]; `scale` multiplies, so 1 leaves x alone."""
        hidden = torch.addcmul(shift, layer_norm(x, self.norm_weight, self.norm_bias), scale)
        return torch.addcmul(x, gate, self.second(F.silu(self.first(hidden))))


class AdaptiveMLP(nn.Module):
    """The AdaLN-zero residual MLP of MAR ("Autoregressive Image Generation without Vector Quantization").

    `dimensions` of x and of the output, size of the `condition`, `width` of the blocks, number of `blocks`, and number
    of `times` (0, 1 or 2; their embeddings are averaged). All are at least 1 but `times`; ModelError otherwise.
    The scales, shifts and gates of all blocks are one matrix product: at batch 1 a few large products are faster than
    many small ones. At the start they are zero, as is the output layer (DiT), so the output is zero.
    """

    def __init__(self, dimensions: int, condition: int, width: int, blocks: int, times: int) -> None:
        super().__init__()
        if min(dimensions, condition, width, blocks) < 1 or times not in (0, 1, 2):
            raise ModelError(
                "a head needs dimensions, condition, width and blocks of at least 1 and 0, 1 or 2 times; got "
                f"{dimensions}, {condition}, {width}, {blocks} and {times}"
            )
        self.input = nn.Linear(dimensions, width)
        self.condition = nn.Linear(condition, width)
        self.times = nn.ModuleList(TimeEmbedding(width) for _ in range(times))
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))
        self.modulation = nn.Linear(width, (3 * blocks + 2) * width)
        self.output = nn.Linear(width, dimensions)
        self._embedded: dict[tuple[float, ...], Tensor] = {}
        self._embedded_with: tuple[tuple[int, int], ...] = ()
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.output.weight)

    def prepare(self, z: Tensor) -> Tensor:
        """What depends on the condition alone: [N, condition] to [N, width]. Once for all steps."""
        return self.condition(z)

    def embed(self, times: Sequence[Tensor]) -> Tensor:
        """The mean embedding of `times`, each [N, 1]: [N, width]; 0 without times."""
        embedded = [layer(time) for layer, time in zip(self.times, times, strict=True)]
        return sum(embedded) / len(embedded) if embedded else torch.zeros((), device=self.output.weight.device)

    def forward(self, x: Tensor, times: Sequence[Tensor], prepared: Tensor) -> Tensor:
        """`x` [N, dimensions], `times` each [N, 1], `prepared` [N, width] from `prepare`: [N, dimensions]."""
        return self._run(x, prepared + self.embed(times))

    def at(self, x: Tensor, times: tuple[float, ...], prepared: Tensor) -> Tensor:
        """The same where all rows share the `times`: for sampling, without gradients to the time embedding.

        Embeddings are remembered for as long as their weights stay as they are. A write through `.data` is not seen:
        call `train` or `eval` after one.
        """
        return self._run(x, prepared + self._remembered(times))

    def train(self, mode: bool = True) -> AdaptiveMLP:
        """As in `nn.Module`; forgets the remembered embeddings."""
        self._embedded.clear()
        super().train(mode)
        return self

    def _remembered(self, times: tuple[float, ...]) -> Tensor:
        # Tensors made in inference mode count no versions, and nobody trains them.
        weights = tuple((one.data_ptr(), 0 if one.is_inference() else one._version) for one in self.times.parameters())
        if weights != self._embedded_with or len(self._embedded) >= REMEMBERED:
            self._embedded.clear()
            self._embedded_with = weights
        if times not in self._embedded:
            weight = self.output.weight
            with torch.no_grad():
                self._embedded[times] = self.embed([weight.new_full((1, 1), time) for time in times])
        return self._embedded[times]

    def _run(self, x: Tensor, conditioned: Tensor) -> Tensor:
        count, width = len(self.blocks), conditioned.shape[-1]
        modulation = self.modulation(F.silu(conditioned))
        scales = (modulation[:, : (count + 1) * width] + 1).unflatten(-1, (count + 1, width)).unbind(1)
        rest = modulation[:, (count + 1) * width :].unflatten(-1, (2 * count + 1, width)).unbind(1)
        shifts, gates = rest[: count + 1], rest[count + 1 :]
        x = self.input(x)
        for block, scale, shift, gate in zip(self.blocks, scales[:-1], shifts[:-1], gates, strict=True):
            x = block(x, scale, shift, gate)
        return self.output(torch.addcmul(shifts[-1], layer_norm(x), scales[-1]))


def layer_norm(x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
    """Layer normalisation over the last axis of [N, width], eps 1e-6.

    By hand where gradients are on: the gradient of a `torch.func.jvp` through the built-in one is wrong.
    """
    if not torch.is_grad_enabled():
        return F.layer_norm(x, x.shape[-1:], weight, bias, 1e-6)
    centred = x - x.mean(dim=-1, keepdim=True)
    normal = centred * torch.rsqrt(centred.square().mean(dim=-1, keepdim=True) + 1e-6)
    return normal if weight is None else torch.addcmul(bias, normal, weight)
