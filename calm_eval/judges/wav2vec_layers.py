"""Layers of wav2vec 2.0 and WavLM in PyTorch, under the key names of fairseq's and Microsoft's checkpoints.

Sources: Baevski et al. 2020 and facebookresearch/fairseq (fairseq/models/wav2vec/wav2vec2.py); Chen et al. 2022 and
microsoft/unilm (wavlm/WavLM.py, wavlm/modules.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

HOP, FIELD = 320, 400
"""Samples from frame to frame, and under one frame: 20 and 25 ms at 16 kHz."""

_BASE = ((10, 5),) + ((3, 2),) * 4 + ((2, 2),) * 2


@dataclass(frozen=True)
class Wav2vecShape:
    """Sizes and variants of one network.

    `convolutions` are (kernel, stride). `each_normed`: layer norm after each of them, else group norm after the first.
    `norm_first`: layer norm before attention and feed-forward, and once at the end. `gated`: WavLM's relative position
    bias, `buckets` of distances up to `furthest` frames.
    """

    width: int = 768
    depth: int = 12
    heads: int = 12
    inner: int = 3072
    channels: int = 512
    convolutions: tuple[tuple[int, int], ...] = _BASE
    each_normed: bool = False
    norm_first: bool = False
    gated: bool = False
    buckets: int = 320
    furthest: int = 800
    position_kernel: int = 128
    position_groups: int = 16


def convolutions(shape: Wav2vecShape, nn: Any) -> Any:
    """`conv_layers` without a bias, each with its norm if it has one."""
    layers, before = [], 1
    for place, (kernel, stride) in enumerate(shape.convolutions):
        parts = {"0": nn.Conv1d(before, shape.channels, kernel, stride, bias=False)}
        if shape.each_normed:
            parts["2"] = nn.ModuleDict({"1": nn.LayerNorm(shape.channels)})
        elif place == 0:
            parts["2"] = nn.GroupNorm(shape.channels, shape.channels)
        layers.append(nn.ModuleDict(parts))
        before = shape.channels
    return nn.ModuleDict({"conv_layers": nn.ModuleList(layers)})


def convolved(layers: Any, samples: Any, shape: Wav2vecShape, torch: Any) -> Any:
    """Samples [n, samples] to frames [n, frames, channels]."""
    maps = samples[:, None]
    for layer in layers["conv_layers"]:
        maps = layer["0"](maps)
        if shape.each_normed:
            maps = layer["2"]["1"](maps.transpose(1, 2)).transpose(1, 2)
        elif "2" in layer:
            maps = layer["2"](maps)
        maps = torch.nn.functional.gelu(maps)
    return maps.transpose(1, 2)


def position_convolution(shape: Wav2vecShape, torch: Any) -> Any:
    """`weight_g` and `weight_v`: size and direction, one size for each place of the kernel."""
    plain = torch.nn.Conv1d(shape.width, shape.width, shape.position_kernel, groups=shape.position_groups)
    module = torch.nn.Module()
    module.weight_v = torch.nn.Parameter(plain.weight.detach().clone())
    module.weight_g = torch.nn.Parameter(_sizes(module.weight_v.detach()).clone())
    module.bias = torch.nn.Parameter(plain.bias.detach().clone())
    return module


def positions(layer: Any, states: Any, shape: Wav2vecShape, torch: Any) -> Any:
    """What is added to states [n, frames, width] to tell where they are."""
    functional = torch.nn.functional
    weight = layer.weight_v * (layer.weight_g / _sizes(layer.weight_v))
    made = functional.conv1d(
        states.transpose(1, 2), weight, layer.bias, padding=shape.position_kernel // 2, groups=shape.position_groups
    )
    # An even kernel gives one place too many.
    return functional.gelu(made[..., : states.shape[1]]).transpose(1, 2)


def _sizes(weight: Any) -> Any:
    return weight.square().sum(dim=(0, 1), keepdim=True).sqrt()


def transformer_layer(shape: Wav2vecShape, first: bool, torch: Any) -> Any:
    """One layer; the `first` of a gated network holds the relative positions of all."""
    nn, width = torch.nn, shape.width
    attention = nn.Module()
    for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
        setattr(attention, name, nn.Linear(width, width))
    if shape.gated:
        attention.grep_linear = nn.Linear(width // shape.heads, 8)
        attention.grep_a = nn.Parameter(torch.ones(1, shape.heads, 1, 1))
        if first:
            attention.relative_attention_bias = nn.Embedding(shape.buckets, shape.heads)
    return nn.ModuleDict(
        {
            "self_attn": attention,
            "self_attn_layer_norm": nn.LayerNorm(width),
            "fc1": nn.Linear(width, shape.inner),
            "fc2": nn.Linear(shape.inner, width),
            "final_layer_norm": nn.LayerNorm(width),
        }
    )


def transformed(layer: Any, states: Any, bias: Any, heard: Any, shape: Wav2vecShape, torch: Any) -> Any:
    """States [n, frames, width] through one layer. `bias` [heads, frames, frames] or None is not gated yet; `heard`
    [n, frames] or None says which frames are attended to."""

    def fed(inner: Any) -> Any:
        return layer["fc2"](torch.nn.functional.gelu(layer["fc1"](inner)))

    attention = layer["self_attn"]
    if shape.norm_first:
        states = states + _attended(attention, layer["self_attn_layer_norm"](states), bias, heard, shape, torch)
        return states + fed(layer["final_layer_norm"](states))
    states = layer["self_attn_layer_norm"](states + _attended(attention, states, bias, heard, shape, torch))
    return layer["final_layer_norm"](states + fed(states))


def _attended(layer: Any, states: Any, bias: Any, heard: Any, shape: Wav2vecShape, torch: Any) -> Any:
    batch, frames, width = states.shape

    def of_heads(flat: Any) -> Any:
        return flat.view(batch, frames, shape.heads, width // shape.heads).transpose(1, 2)

    added = None
    if bias is not None:
        # The gates look at a head's share of the states themselves, not at its queries.
        gates = torch.sigmoid(layer.grep_linear(of_heads(states)).view(batch, shape.heads, frames, 2, 4).sum(-1))
        by, of = gates.chunk(2, dim=-1)
        added = (by * (of * layer.grep_a - 1.0) + 2.0) * bias
    if heard is not None:
        unheard = torch.zeros(batch, 1, 1, frames, device=states.device)
        unheard.masked_fill_(~heard[:, None, None], -math.inf)
        added = unheard if added is None else added + unheard
    query, key, value = (of_heads(proj(states)) for proj in (layer.q_proj, layer.k_proj, layer.v_proj))
    mixed = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=added)
    return layer.out_proj(mixed.transpose(1, 2).reshape(batch, frames, width))


def relative_bias(layer: Any, frames: int, shape: Wav2vecShape, torch: Any) -> Any:
    """The first layer's bias [heads, frames, frames], by distance: half of the buckets for each direction, of these
    half for one distance each, the others on a logarithmic scale (Raffel et al. 2020)."""
    table = layer["self_attn"].relative_attention_bias.weight
    place = torch.arange(frames, device=table.device)
    distance = place[None] - place[:, None]
    half = shape.buckets // 2
    exact = half // 2
    far = distance.abs()
    scale = torch.log(far.clamp(min=1).float() / exact) / math.log(shape.furthest / exact)
    coarse = (exact + (scale * (half - exact)).long()).clamp(max=half - 1)
    bucket = (distance > 0).long() * half + torch.where(far < exact, far, coarse)
    return table[bucket].permute(2, 0, 1)
