"""WavLM and wav2vec 2.0 against transformers on shared random weights, and the relative positions by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from parity import apart
from shared_weights import drawn, parity_clip

from calm_eval.errors import InputError
from calm_eval.judges.wav2vec_layers import FIELD, HOP, Wav2vecShape, relative_bias
from calm_eval.judges.wavlm_network import (
    WAV2VEC2_BASE,
    WAVLM_BASE,
    WAVLM_LARGE,
    build,
    from_transformers,
    layer_states,
)

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
SMALL = {
    "width": 48, "depth": 3, "heads": 4, "inner": 96, "channels": 32, "position_kernel": 16, "position_groups": 4,
    "buckets": 32, "furthest": 40,
}  # fmt: skip
SHAPES = {"wavlm-base": WAVLM_BASE, "wavlm-large": WAVLM_LARGE, "wav2vec2-base": WAV2VEC2_BASE}
TENSORS = {"wavlm-base": 248, "wavlm-large": 488, "wav2vec2-base": 211}


def theirs(shape: Wav2vecShape):
    options = {
        "hidden_size": shape.width,
        "num_hidden_layers": shape.depth,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.inner,
        "conv_dim": [shape.channels] * 7,
        "num_conv_pos_embeddings": shape.position_kernel,
        "num_conv_pos_embedding_groups": shape.position_groups,
        "feat_extract_norm": "layer" if shape.each_normed else "group",
        "do_stable_layer_norm": shape.norm_first,
    }
    if not shape.gated:
        return transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**options)).eval()
    config = transformers.WavLMConfig(**options, num_buckets=shape.buckets, max_bucket_distance=shape.furthest)
    return transformers.WavLMModel(config).eval()


def ours(shape: Wav2vecShape):
    network = build(torch, shape).eval()
    with torch.no_grad():
        for name, value in network.state_dict().items():
            value.copy_(torch.from_numpy(drawn(name, value.shape)))
    return network


def pair(shape: Wav2vecShape):
    """Both with the same weights, carried over by name alone."""
    network, peer = ours(shape), theirs(shape)
    state = network.state_dict()
    renamed = dict(zip(peer.state_dict(), from_transformers(peer.state_dict(), shape), strict=True))
    assert set(renamed.values()) == set(state)
    peer.load_state_dict({name: state[new] for name, new in renamed.items()})
    return network, peer


def compared(shape: Wav2vecShape, seconds: float) -> None:
    network, peer = pair(shape)
    lasts = []
    for kind in ("chirp", "noise"):
        samples = torch.from_numpy(parity_clip(kind, seconds, 16000))[None]
        with torch.inference_mode():
            states = layer_states(network, samples, shape, torch)
            answer = peer(samples, output_hidden_states=True)
        assert len(states) == len(answer.hidden_states) == shape.depth + 1
        assert states[0].shape[1] == (samples.shape[1] - FIELD) // HOP + 1
        for found, expected in zip(states[:-1], answer.hidden_states[:-1], strict=True):
            assert apart(found, expected) < 1e-5
        assert apart(states[-1], answer.last_hidden_state) < 1e-5
        lasts.append(states[-1])
    assert apart(lasts[1], lasts[0]) > 0.05


@pytest.mark.parametrize("name", SHAPES)
def test_states_are_those_of_transformers(name) -> None:
    compared(replace(SHAPES[name], **SMALL), 1.7)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHAPES)
def test_states_of_the_published_sizes_are_those_of_transformers(name) -> None:
    """2.5 s reach the logarithmic part of the distances."""
    compared(SHAPES[name], 2.5)


def test_the_last_state_of_wavlm_large_is_normalised() -> None:
    """As s3prl sums it. transformers 5 gives it as the last layer leaves it, which is another number."""
    shape = replace(WAVLM_LARGE, **SMALL)
    network, peer = pair(shape)
    samples = torch.from_numpy(parity_clip("chord", 0.5, 16000))[None]
    with torch.inference_mode():
        state = layer_states(network, samples, shape, torch)[-1]
        answer = peer(samples, output_hidden_states=True)
    assert apart(state, answer.last_hidden_state) < 1e-5
    if transformers.__version__.startswith("5."):
        assert apart(state, answer.hidden_states[-1]) > 0.1


@pytest.mark.parametrize("name", SHAPES)
def test_frames_that_do_not_count_are_as_good_as_absent(name) -> None:
    """transformers masks samples; with whole frames of padding behind the clip both must agree on the rest."""
    shape = replace(SHAPES[name], **SMALL)
    network, peer = pair(shape)
    clip = parity_clip("noise", 0.8, 16000)
    samples = torch.zeros(1, 16000)
    samples[0, : clip.size] = torch.from_numpy(clip)
    mask = torch.zeros(1, 16000, dtype=torch.long)
    mask[0, : clip.size] = 1
    heard = torch.arange(49)[None] < (clip.size - FIELD) // HOP + 1
    with torch.inference_mode():
        states = layer_states(network, samples, shape, torch, heard)
        answer = peer(samples, attention_mask=mask).last_hidden_state
    assert apart(states[-1][heard], answer[heard]) < 1e-5
    # The group norm sees the padding: a padded clip is another clip. Layer norms do not.
    with torch.inference_mode():
        alone = layer_states(network, torch.from_numpy(clip)[None], shape, torch)[-1]
    difference = apart(alone[0], states[-1][heard])
    assert difference < 1e-5 if shape.each_normed else difference > 0.01


def test_relative_positions_by_hand() -> None:
    """One bucket a distance up to 80 frames, then logarithmic up to 800; the future in the other half."""
    shape = replace(WAVLM_BASE, heads=1)
    layer = torch.nn.ModuleDict({"self_attn": torch.nn.Module()})
    layer["self_attn"].relative_attention_bias = torch.nn.Embedding.from_pretrained(torch.arange(320.0)[:, None])
    found = relative_bias(layer, 1000, shape, torch)[0]

    def bucket(distance: int) -> int:
        far = abs(distance)
        if far >= 80:
            far = min(159, 80 + math.floor(math.log(far / 80) / math.log(10) * 80))
        return far + (160 if distance > 0 else 0)

    for query, key in ((0, 0), (5, 4), (4, 5), (0, 79), (0, 100), (100, 0), (900, 20), (20, 900), (0, 790), (0, 801)):
        assert found[query, key] == bucket(key - query), (query, key)
    assert found[0, 999] == 319


@pytest.mark.parametrize("name", SHAPES)
def test_sizes_of_the_published_networks(name) -> None:
    with torch.device("meta"):
        state = build(torch, SHAPES[name]).state_dict()
    assert len(state) == TENSORS[name]
    assert state["encoder.pos_conv.0.weight_g"].shape == (1, 1, 128)
    assert ("encoder.layers.0.self_attn.relative_attention_bias.weight" in state) == SHAPES[name].gated
    assert "encoder.layers.1.self_attn.relative_attention_bias.weight" not in state
    assert ("feature_extractor.conv_layers.6.2.1.weight" in state) == SHAPES[name].each_normed
    assert ("feature_extractor.conv_layers.0.2.weight" in state) != SHAPES[name].each_normed


def test_names_of_old_and_new_transformers() -> None:
    conv = "wavlm.encoder.pos_conv_embed.conv"
    new = from_transformers(
        {f"{conv}.parametrizations.weight.original0": 1, "objective.weight": 2}, WAVLM_BASE, "wavlm."
    )
    assert new == {"wavlm.encoder.pos_conv.0.weight_g": 1, "objective.weight": 2}
    assert from_transformers({f"{conv}.weight_v": 3}, WAVLM_BASE, "wavlm.") == {"wavlm.encoder.pos_conv.0.weight_v": 3}
    names = [f"{conv}.weight_g", f"{conv}.parametrizations.weight.original0"]
    with pytest.raises(
        InputError, match=r"two tensors of the checkpoint are called wavlm\.encoder\.pos_conv\.0\.weight_g"
    ):
        from_transformers(dict.fromkeys(names, 1), WAVLM_BASE, "wavlm.")


def test_base_hears_no_level_and_no_offset_where_it_is_loud() -> None:
    """Its group norm over time takes both out, down to 1e-5 under the root."""
    shape = replace(WAVLM_BASE, **SMALL)
    network = ours(shape)
    clip = parity_clip("noise", 0.5, 16000)

    def heard(samples: np.ndarray):
        with torch.inference_mode():
            return layer_states(network, torch.from_numpy(samples.astype(np.float32))[None], shape, torch)[-1]

    loud = heard(clip * 5)
    assert apart(heard(clip * 2.5 + 0.1), loud) < 5e-4
    assert apart(heard(clip / 100), loud) > 0.05
