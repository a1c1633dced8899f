"""HTS-AT in PyTorch (Chen et al. 2022): a Swin transformer over a log-mel folded into a square.

Key names are those of LAION-CLAP's `audio_branch` and MS-CLAP's `audio_encoder.base.htsat`. What makes tags of the
answer is left out: the embedding does not pass through it. Sources: LAION-AI/CLAP (clap_module/htsat.py and
feature_fusion.py), Liu et al. 2021 for the blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

N_MELS = 64
SIDE = 256
"""Rows and columns of the square: four stripes of 64 mels, 256 frames long."""
FRAMES = SIDE * SIDE // N_MELS
PATCH, WINDOW = 4, 8
HEADS = (4, 8, 16, 32)
APART = -100.0
"""Added to the scores of places that only the rolling of the square made neighbours."""


@dataclass(frozen=True)
class HtsatShape:
    """`width` channels of a patch, doubled after each of four layers but the last, of `depths` blocks."""

    width: int
    depths: tuple[int, int, int, int]
    fusion: bool = False

    @property
    def dimensions(self) -> int:
        """Numbers of an embedding."""
        return 8 * self.width

    def unused(self) -> frozenset[str]:
        """Keys of a checkpoint that the embedding does not need: the front end, the tags, and tables of indices."""
        names = {"spectrogram_extractor.stft.conv_real.weight", "spectrogram_extractor.stft.conv_imag.weight"}
        names |= {f"{layer}.{part}" for layer in ("tscam_conv", "head") for part in ("weight", "bias")}
        for place, depth in enumerate(self.depths):
            blocks = [f"layers.{place}.blocks.{number}" for number in range(depth)]
            names |= {f"{block}.attn.relative_position_index" for block in blocks}
            # Every second block shifts its windows, but where one window is all there is.
            names |= {f"{block}.attn_mask" for block in blocks[1::2] if place + 1 < len(self.depths)}
        return frozenset(names | {MEL_KEY})


MEL_KEY = "logmel_extractor.melW"
"""The mel filters of a checkpoint, shape [513, 64]."""
TINY = HtsatShape(96, (2, 2, 6, 2))
BASE = HtsatShape(128, (2, 2, 12, 2))
TINY_FUSION = HtsatShape(96, (2, 2, 6, 2), fusion=True)


def build(torch: Any, shape: HtsatShape) -> Any:
    """The layers by the checkpoint's names, weights as PyTorch draws them."""
    nn = torch.nn
    width = shape.width
    embed = {"proj": nn.Conv2d(1, width, PATCH, PATCH), "norm": nn.LayerNorm(width)}
    if shape.fusion:
        embed["mel_conv2d"] = nn.Conv2d(1, width, (PATCH, 3 * PATCH), (PATCH, 3 * PATCH))
        embed["fusion_model"] = nn.ModuleDict(
            {
                "local_att": nn.Sequential(*_squeezed(nn, width)),
                "global_att": nn.Sequential(nn.AdaptiveAvgPool2d(1), *_squeezed(nn, width)),
            }
        )
    layers = []
    for place, depth in enumerate(shape.depths):
        size = width * 2**place
        blocks = nn.ModuleList(_block(torch, size, HEADS[place]) for _ in range(depth))
        layers.append(nn.ModuleDict({"blocks": blocks}))
        if place + 1 < len(shape.depths):
            merging = {"reduction": nn.Linear(4 * size, 2 * size, bias=False), "norm": nn.LayerNorm(4 * size)}
            layers[-1]["downsample"] = nn.ModuleDict(merging)
    return nn.ModuleDict(
        {
            "bn0": nn.BatchNorm2d(N_MELS),
            "patch_embed": nn.ModuleDict(embed),
            "layers": nn.ModuleList(layers),
            "norm": nn.LayerNorm(shape.dimensions),
        }
    )


def _squeezed(nn: Any, width: int) -> list[Any]:
    inner = width // 4
    ends = [nn.Conv2d(width, inner, 1), nn.BatchNorm2d(inner)], [nn.Conv2d(inner, width, 1), nn.BatchNorm2d(width)]
    return [*ends[0], nn.ReLU(), *ends[1]]


def _block(torch: Any, size: int, heads: int) -> Any:
    nn = torch.nn
    attention = nn.ModuleDict({"qkv": nn.Linear(size, 3 * size), "proj": nn.Linear(size, size)})
    biases = 0.02 * torch.randn(((2 * WINDOW - 1) ** 2, heads))
    attention.register_parameter("relative_position_bias_table", nn.Parameter(biases))
    return nn.ModuleDict(
        {
            "norm1": nn.LayerNorm(size),
            "attn": attention,
            "norm2": nn.LayerNorm(size),
            "mlp": nn.ModuleDict({"fc1": nn.Linear(size, 4 * size), "fc2": nn.Linear(4 * size, size)}),
        }
    )


def forward(network: Any, log_mel: Any, torch: Any, fused: bool = False) -> Any:
    """Log-mel [n, 1, frames, 64], at most 1024 frames, to embeddings [n, 8 width].

    `fused`: log-mel [n, 4, frames, 64], the whole clip shrunk and three pieces of it, for a network of fusion.
    """
    # Bands are the channels of the batch normalisation.
    scaled = network["bn0"](log_mel.transpose(1, 3)).transpose(1, 3)
    maps = _patches(network["patch_embed"], _square(scaled, torch), torch, fused)
    states = network["patch_embed"]["norm"](maps.permute(0, 2, 3, 1))
    for place, layer in enumerate(network["layers"]):
        for number, block in enumerate(layer["blocks"]):
            states = _swin(block, states, HEADS[place], number % 2 == 1, torch)
        if "downsample" in layer:
            states = _merged(layer["downsample"], states, torch)
    return network["norm"](states).mean(dim=(1, 2))


def _square(log_mel: Any, torch: Any) -> Any:
    """Stretched to 1024 frames and cut into four stripes, one under the other: [n, c, 256, 256]."""
    if log_mel.shape[2] < FRAMES:
        size = (FRAMES, N_MELS)
        log_mel = torch.nn.functional.interpolate(log_mel, size, mode="bicubic", align_corners=True)
    count, channels = log_mel.shape[:2]
    stripes = log_mel.transpose(2, 3).reshape(count, channels, N_MELS, SIDE // N_MELS, SIDE)
    return stripes.transpose(2, 3).reshape(count, channels, SIDE, SIDE)


def _patches(embed: Any, image: Any, torch: Any, fused: bool) -> Any:
    """Patches of 4 by 4, [n, width, 64, 64]; where fused, those of the three pieces side by side are mixed in."""
    whole = embed["proj"](image[:, :1])
    if not fused:
        return whole
    count, pieces = len(image), image.shape[1] - 1
    local = embed["mel_conv2d"](image[:, 1:].reshape(count * pieces, 1, SIDE, SIDE))
    local = local.reshape(count, pieces, *local.shape[1:]).permute(0, 2, 3, 1, 4).flatten(3)
    local = torch.nn.functional.pad(local, (0, whole.shape[-1] - local.shape[-1]))
    mixer, both = embed["fusion_model"], whole + local
    share = torch.sigmoid(mixer["local_att"](both) + mixer["global_att"](both))
    return 2 * whole * share + 2 * local * (1 - share)


def _swin(block: Any, states: Any, heads: int, shifted: bool, torch: Any) -> Any:
    """One block over [n, side, side, size]: attention within windows of 8 by 8, every second one half a window on."""
    side, size = states.shape[1], states.shape[3]
    shift = WINDOW // 2 if shifted and side > WINDOW else 0
    rolled = block["norm1"](states).roll((-shift, -shift), (1, 2))
    windows = _windows(rolled)
    split = block["attn"]["qkv"](windows).reshape(len(windows), WINDOW**2, 3, heads, size // heads)
    places = _relative_places(torch, states.device)
    biases = block["attn"].relative_position_bias_table[places].permute(2, 0, 1)
    if shift:
        apart = _apart(side, shift, torch, states.device)
        biases = (biases + apart[:, None]).repeat(len(states), 1, 1, 1)
    query, key, value = split.permute(2, 0, 3, 1, 4)
    mixed = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=biases)
    mixed = block["attn"]["proj"](mixed.transpose(1, 2).reshape(len(windows), WINDOW**2, size))
    count = side // WINDOW
    mixed = mixed.reshape(-1, count, count, WINDOW, WINDOW, size).transpose(2, 3).reshape(states.shape)
    states = states + mixed.roll((shift, shift), (1, 2))
    hidden = torch.nn.functional.gelu(block["mlp"]["fc1"](block["norm2"](states)))
    return states + block["mlp"]["fc2"](hidden)


def _windows(states: Any) -> Any:
    """[n, side, side, size] to [n (side / 8)^2, 64, size]."""
    count, side, _, size = states.shape
    across = side // WINDOW
    cut = states.reshape(count, across, WINDOW, across, WINDOW, size).transpose(2, 3)
    return cut.reshape(count * across**2, WINDOW**2, size)


def _relative_places(torch: Any, device: Any) -> Any:
    """For each pair of the 64 places of a window, which of its 15 by 15 differences it has."""
    places = torch.stack(torch.meshgrid(*2 * [torch.arange(WINDOW, device=device)], indexing="ij")).flatten(1)
    apart = places[:, :, None] - places[:, None] + WINDOW - 1
    return apart[0] * (2 * WINDOW - 1) + apart[1]


def _apart(side: int, shift: int, torch: Any, device: Any) -> Any:
    """Scores [windows, 64, 64] that keep apart what was not side by side before the rolling."""
    region = torch.zeros(side, device=device)
    region[side - WINDOW :], region[side - shift :] = 1, 2
    of_window = _windows((3 * region[:, None] + region)[None, :, :, None])[:, :, 0]
    return APART * (of_window[:, :, None] != of_window[:, None]).float()


def _merged(layer: Any, states: Any, torch: Any) -> Any:
    """Four neighbours become one of twice their size."""
    corners = [states[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
    return layer["reduction"](layer["norm"](torch.cat(corners, dim=-1)))
