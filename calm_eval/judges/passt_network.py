"""PaSST-S in PyTorch: the layers and key names of its published checkpoints (Koutini et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import InputError
from calm_eval.judges.passt_front_end import N_MELS, PasstLogMel
from calm_eval.judges.torch_judge import filled, on_device

WIDTH, DEPTH, HEADS, CLASSES = 768, 12, 12, 527
PATCH, STRIDE = 16, 10
BANDS = N_MELS // STRIDE
EPSILON = 1e-6


def build(torch: Any, places: int) -> Any:
    """The layers by the checkpoint's names; `places` in time have a position of their own: 99 for 10 s."""
    nn = torch.nn
    module = nn.Module()
    for name, shape in (
        ("cls_token", (1, 1, WIDTH)),
        ("dist_token", (1, 1, WIDTH)),
        ("new_pos_embed", (1, 2, WIDTH)),
        ("freq_new_pos_embed", (1, WIDTH, BANDS, 1)),
        ("time_new_pos_embed", (1, WIDTH, 1, places)),
    ):
        setattr(module, name, nn.Parameter(0.02 * torch.randn(shape)))
    module.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(1, WIDTH, PATCH, STRIDE)})
    module.blocks = nn.ModuleList(_block(nn) for _ in range(DEPTH))
    module.norm = nn.LayerNorm(WIDTH, eps=EPSILON)
    module.head = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES))
    module.head_dist = nn.Linear(WIDTH, CLASSES)
    return module


def _block(nn: Any) -> Any:
    return nn.ModuleDict(
        {
            "norm1": nn.LayerNorm(WIDTH, eps=EPSILON),
            "attn": nn.ModuleDict({"qkv": nn.Linear(WIDTH, 3 * WIDTH), "proj": nn.Linear(WIDTH, WIDTH)}),
            "norm2": nn.LayerNorm(WIDTH, eps=EPSILON),
            "mlp": nn.ModuleDict({"fc1": nn.Linear(WIDTH, 4 * WIDTH), "fc2": nn.Linear(4 * WIDTH, WIDTH)}),
        }
    )


class PasstNetwork:
    """The network with weights. Raises InputError for tensors that are not those of PaSST-S."""

    def __init__(self, state: Mapping[str, Any], places: int, torch: Any, device: str) -> None:
        self._torch, self._device = torch, device
        self._network = filled(build(torch, places), state, f"PaSST-S with {places} places").to(device)
        self._log_mel = PasstLogMel(torch, device)

    def __call__(self, samples: NDArray[np.floating]) -> NDArray[np.float32]:
        """Clips of one length [n, samples] to the logits of 527 tags [n, 527].

        Raises InputError for clips with more places than the network has positions.
        """
        torch = self._torch
        with torch.inference_mode():
            log_mel = self._log_mel(on_device(samples, torch, self._device))
            logits: NDArray[np.float32] = forward(self._network, log_mel, torch).cpu().numpy()
        return logits


def forward(network: Any, log_mel: Any, torch: Any) -> Any:
    """Log-mel [n, 128, frames] to logits [n, 527].

    Patches of 16 x 16, one each 10, with a position in frequency and one in time; twelve blocks of a transformer over
    them and two tokens, whose mean is classified.
    """
    patches = network.patch_embed["proj"](log_mel[:, None])
    count = patches.shape[-1]
    if count > network.time_new_pos_embed.shape[-1]:
        raise InputError(f"a clip of {count} places, and positions for {network.time_new_pos_embed.shape[-1]}")
    patches = patches + network.time_new_pos_embed[..., :count] + network.freq_new_pos_embed
    tokens = torch.cat([network.cls_token, network.dist_token], dim=1) + network.new_pos_embed
    states = torch.cat([tokens.expand(len(patches), -1, -1), patches.flatten(2).transpose(1, 2)], dim=1)
    for block in network.blocks:
        states = states + _attention(block["attn"], block["norm1"](states), torch)
        hidden = torch.nn.functional.gelu(block["mlp"]["fc1"](block["norm2"](states)))
        states = states + block["mlp"]["fc2"](hidden)
    states = network.norm(states)
    return network.head((states[:, 0] + states[:, 1]) / 2)


def _attention(layer: Any, states: Any, torch: Any) -> Any:
    batch, count, _ = states.shape
    split = layer["qkv"](states).reshape(batch, count, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
    mixed = torch.nn.functional.scaled_dot_product_attention(*split)
    return layer["proj"](mixed.transpose(1, 2).reshape(batch, count, WIDTH))
