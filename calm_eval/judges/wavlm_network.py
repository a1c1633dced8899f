"""WavLM and wav2vec 2.0 in PyTorch: all layers' states, under the key names of Microsoft's and fairseq's files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from calm_eval.errors import InputError
from calm_eval.judges.wav2vec_layers import (
    Wav2vecShape,
    convolutions,
    convolved,
    position_convolution,
    positions,
    relative_bias,
    transformed,
    transformer_layer,
)

WAV2VEC2_BASE = Wav2vecShape()
WAVLM_BASE = Wav2vecShape(gated=True)
"""Of WavLM Base and Base+."""
WAVLM_LARGE = Wav2vecShape(width=1024, depth=24, heads=16, inner=4096, each_normed=True, norm_first=True, gated=True)


def build(torch: Any, shape: Wav2vecShape) -> Any:
    """The layers, weights as PyTorch draws them. `mask_emb` is of the training and has no use here."""
    nn = torch.nn
    module = nn.Module()
    module.mask_emb = nn.Parameter(torch.rand(shape.width))
    module.feature_extractor = convolutions(shape, nn)
    module.layer_norm = nn.LayerNorm(shape.channels)
    module.post_extract_proj = nn.Linear(shape.channels, shape.width)
    module.encoder = nn.ModuleDict(
        {
            "pos_conv": nn.ModuleList([position_convolution(shape, torch)]),
            "layers": nn.ModuleList(transformer_layer(shape, place == 0, torch) for place in range(shape.depth)),
            "layer_norm": nn.LayerNorm(shape.width),
        }
    )
    return module


def layer_states(network: Any, samples: Any, shape: Wav2vecShape, torch: Any, heard: Any = None) -> list[Any]:
    """Samples [n, samples] to depth + 1 states [n, frames, width]: what enters the layers, and what each leaves.

    Of a network that normalises first, the last state is normalised and the others are not, as in s3prl and
    transformers. `heard` [n, frames] (None: all) are the frames that count; the others enter as zeros and are not
    attended to.
    """
    encoder = network.encoder
    frames = convolved(network.feature_extractor, samples, shape, torch)
    states = network.post_extract_proj(network.layer_norm(frames))
    if heard is not None:
        states = states * heard[..., None]
    states = states + positions(encoder["pos_conv"][0], states, shape, torch)
    if not shape.norm_first:
        states = encoder["layer_norm"](states)
    bias = relative_bias(encoder["layers"][0], states.shape[1], shape, torch) if shape.gated else None
    found = [states]
    for layer in encoder["layers"]:
        states = transformed(layer, states, bias, heard, shape, torch)
        found.append(states)
    if shape.norm_first:
        found[-1] = encoder["layer_norm"](states)
    return found


_OF_TRANSFORMERS = (
    (r"^masked_spec_embed$", "mask_emb"),
    (r"^feature_projection\.projection\.", "post_extract_proj."),
    (r"^feature_projection\.layer_norm\.", "layer_norm."),
    (r"^(feature_extractor\.conv_layers\.\d+)\.conv\.", r"\1.0."),
    (r"^encoder\.pos_conv_embed\.conv\.parametrizations\.weight\.original0$", "encoder.pos_conv.0.weight_g"),
    (r"^encoder\.pos_conv_embed\.conv\.parametrizations\.weight\.original1$", "encoder.pos_conv.0.weight_v"),
    (r"^encoder\.pos_conv_embed\.conv\.", "encoder.pos_conv.0."),
    (r"^(encoder\.layers\.\d+)\.attention\.gru_rel_pos_const$", r"\1.self_attn.grep_a"),
    (r"^(encoder\.layers\.\d+)\.attention\.gru_rel_pos_linear\.", r"\1.self_attn.grep_linear."),
    (r"^(encoder\.layers\.\d+)\.attention\.rel_attn_embed\.", r"\1.self_attn.relative_attention_bias."),
    (r"^(encoder\.layers\.\d+)\.attention\.", r"\1.self_attn."),
    (r"^(encoder\.layers\.\d+)\.layer_norm\.", r"\1.self_attn_layer_norm."),
    (r"^(encoder\.layers\.\d+)\.feed_forward\.intermediate_dense\.", r"\1.fc1."),
    (r"^(encoder\.layers\.\d+)\.feed_forward\.output_dense\.", r"\1.fc2."),
)


def from_transformers(state: Mapping[str, Any], shape: Wav2vecShape, prefix: str = "") -> dict[str, Any]:
    """The tensors of transformers' WavLMModel or Wav2Vec2Model under the names above; names without `prefix` stay.

    Raises InputError where two names become one.
    """
    norm = "2.1" if shape.each_normed else "2"
    rules = (*_OF_TRANSFORMERS, (r"^(feature_extractor\.conv_layers\.\d+)\.layer_norm\.", rf"\1.{norm}."))
    renamed: dict[str, Any] = {}
    for name, value in state.items():
        new = name
        if name.startswith(prefix):
            new = name.removeprefix(prefix)
            for pattern, to in rules:
                new, changed = re.subn(pattern, to, new)
                if changed:
                    break
            new = prefix + new
        if new in renamed:
            raise InputError(f"two tensors of the checkpoint are called {new}")
        renamed[new] = value
    return renamed
