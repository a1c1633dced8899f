"""A causal pre-norm transformer with rotary positions and a static cache.

With a window, a position attends to the last `window` positions, itself among them: the short-context transformer
and the codecs' transformers are this class too.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that every reader knows

from reference_models.backbone.cache import Cache
from reference_models.backbone.masks import attention_mask
from reference_models.backbone.rotary import rotate, rotations

NormKind = Literal["layer", "rms"]
Activation = Literal["gelu", "swiglu"]


class Transformer(nn.Module):
    """`layers` blocks of width `dim`; no biases. The last norm is the caller's.

    `feedforward` is the hidden width (of each of the two branches when gated). `layer_scale` starts both residual
    branches at that size. Sizes of the papers: see `presets/`.
    """

    def __init__(
        self,
        dim: int,
        layers: int,
        heads: int,
        feedforward: int,
        window: int | None = None,
        norm: NormKind = "layer",
        activation: Activation = "gelu",
        layer_scale: float | None = None,
        rope_base: float = 10_000.0,
    ) -> None:
        super().__init__()
        self.dim, self.heads, self.window, self.rope_base = dim, heads, window, rope_base
        self.layers = nn.ModuleList(
            Layer(dim, heads, feedforward, norm, activation, layer_scale) for _ in range(layers)
        )

    def forward(self, x: Tensor, padding: Tensor | None = None) -> Tensor:
        """All positions at once: [batch, positions, dim] to the same shape.

        `padding` [batch] counts positions at the start of each row that nobody may see (rows are aligned at the end).
        """
        length = x.shape[1]
        turns = rotations(0, length, self.dim // self.heads, self.rope_base, x.device)
        mask = attention_mask(length, length, 0, self.window, padding, x.device)
        for layer in self.layers:
            x = layer(x, turns, mask)
        return x

    def start(self, batch: int, length: int | None = None, padding: Tensor | None = None) -> Cache:
        """An empty cache for `length` positions; with a window it serves any number, and `length` may be left out.

        Raises ValueError when neither is given.
        """
        if self.window is not None:
            rolling = 2 * self.window + 64
            length = rolling if length is None else min(length, rolling)
        if length is None:
            raise ValueError("a transformer without a window needs the length of its cache")
        weight = self.layers[0].qkv.weight
        return Cache(
            len(self.layers),
            batch,
            self.heads,
            length,
            self.dim // self.heads,
            window=self.window,
            rope_base=self.rope_base,
            padding=padding,
            device=weight.device,
            dtype=weight.dtype,
        )

    def step(self, x: Tensor, cache: Cache) -> Tensor:
        """The next positions [batch, n, dim]; equals `forward` on the whole sequence at these positions.

        Raises ModelError when they do not fit the cache.
        """
        if self.window is not None and x.shape[1] > cache.length - self.window + 1:
            size = cache.length - self.window + 1
            return torch.cat([self.step(part, cache) for part in x.split(size, dim=1)], dim=1)
        count = x.shape[1]
        cache.room_for(count)
        turns = cache.turns(count)
        oldest = 0 if self.window is None or count > 1 else max(0, cache.used + 1 - self.window)
        mask = None
        if count > 1 or cache.padding is not None:
            shown = cache.used + count - oldest
            first = cache.dropped + oldest
            mask = attention_mask(count, shown, first, self.window, cache.padding, x.device)
        for number, layer in enumerate(self.layers):
            x = layer.step(x, turns, mask, cache, number, oldest)
        cache.advance(count)
        return x


class Layer(nn.Module):
    """Attention and feed-forward, each with its norm before it and a residual around it."""

    def __init__(
        self,
        dim: int,
        heads: int,
        feedforward: int,
        norm: NormKind,
        activation: Activation,
        layer_scale: float | None,
    ) -> None:
        super().__init__()
        self.heads, self.gated = heads, activation == "swiglu"
        self.attention_norm = make_norm(norm, dim)
        self.feedforward_norm = make_norm(norm, dim)
        self.qkv = linear(dim, 3 * dim)
        self.out = linear(dim, dim)
        self.up = linear(dim, 2 * feedforward if self.gated else feedforward)
        self.down = linear(feedforward, dim)
        self.attention_scale = nn.Parameter(torch.full((dim,), layer_scale)) if layer_scale is not None else None
        self.feedforward_scale = nn.Parameter(torch.full((dim,), layer_scale)) if layer_scale is not None else None

    def forward(self, x: Tensor, turns: Tensor, mask: Tensor | None) -> Tensor:
        """The whole sequence; no mask means plainly causal."""
        query, key, value = self._project(x, turns).unbind(2)
        causal = mask is None and x.shape[1] > 1
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=causal)
        return self._finish(x, mixed)

    def step(self, x: Tensor, turns: Tensor, mask: Tensor | None, cache: Cache, number: int, oldest: int) -> Tensor:
        """The next positions, which are written into the cache; attention sees memory from `oldest` on."""
        projected, count = self._project(x, turns), x.shape[1]
        memory = cache.memory[number]
        memory.narrow(3, cache.used, count).copy_(projected.narrow(2, 1, 2))
        keys, values = memory.narrow(3, oldest, cache.used + count - oldest).unbind(2)
        causal = mask is None and count > 1  # the first positions of all, at once
        query = projected.select(2, 0)
        return self._finish(x, F.scaled_dot_product_attention(query, keys, values, attn_mask=mask, is_causal=causal))

    def _project(self, x: Tensor, turns: Tensor) -> Tensor:
        """Queries, keys and values, [batch, heads, 3, positions, channels]."""
        batch, count, dim = x.shape
        qkv = self.qkv(self.attention_norm(x)).view(batch, count, 3, self.heads, dim // self.heads)
        return rotate(qkv, turns).transpose(1, 3)

    def _finish(self, x: Tensor, mixed: Tensor) -> Tensor:
        update = self.out(mixed.transpose(1, 2).flatten(2))
        x = x + (update if self.attention_scale is None else update * self.attention_scale)
        hidden = self.up(self.feedforward_norm(x))
        if self.gated:
            gate, hidden = hidden.chunk(2, dim=-1)
            hidden = F.silu(gate) * hidden
        else:
            hidden = F.gelu(hidden, approximate="tanh")
        update = self.down(hidden)
        return x + (update if self.feedforward_scale is None else update * self.feedforward_scale)


def make_norm(kind: NormKind, dim: int) -> nn.Module:
    """LayerNorm (with a bias) or RMSNorm, eps 1e-5."""
    return nn.LayerNorm(dim, eps=1e-5) if kind == "layer" else nn.RMSNorm(dim, eps=1e-5)


def linear(inputs: int, outputs: int, bias: bool = False) -> nn.Linear:
    """A linear layer whose weights start as a truncated normal of std 1 / sqrt(inputs) (Pocket TTS's training code)."""
    layer = nn.Linear(inputs, outputs, bias=bias)
    std = inputs**-0.5
    nn.init.trunc_normal_(layer.weight, std=std, a=-3 * std, b=3 * std)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
