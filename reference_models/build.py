"""From a preset to modules, on any device; `meta` builds the largest in no memory."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch
from torch import nn

from reference_models.backbone.transformer import Transformer
from reference_models.codecs.build import build_codec
from reference_models.codecs.codec import Codec
from reference_models.errors import ModelError
from reference_models.heads.table import HEADS
from reference_models.models.calm import CALM
from reference_models.models.code_model import CodeModel
from reference_models.models.conditioning import Conditioning
from reference_models.models.language_model import LanguageModel
from reference_models.presets import CodecPreset, ModelPreset, TransformerSizes, load_codec_preset
from reference_models.text import Characters, HashedWords, SentencePiece, Tokenizer


def make_model(preset: ModelPreset, device: str = "cpu", seed: int = 0) -> LanguageModel:
    """A language model with random weights from `seed`. Raises ModelError when sizes do not fit together."""
    codec = load_codec_preset(preset.codec)
    with torch.random.fork_rng(devices=[]), torch.device(device):
        torch.manual_seed(seed)
        backbone = _transformer(preset.dim, preset.backbone)
        shared: dict[str, Any] = {
            "norm": preset.backbone.norm,
            "conditioning": _conditioning(preset, codec),
            "stop": preset.stop is not None,
            "stop_weight": preset.stop.weight if preset.stop else 0.0,
            "text_tokens": preset.text_stream_tokens,
        }
        if preset.kind == "calm":
            if codec.kind != "vae":
                raise ModelError(f"'{preset.name}' models latents, but '{codec.name}' is an RVQ codec")
            short = _transformer(preset.dim, preset.short_context) if preset.short_context else None
            return CALM(
                codec.dimensions,
                backbone,
                _head(preset, dimensions=codec.dimensions),
                short_context=short,
                noise_augmentation=preset.training.noise_augmentation,
                noise_rule=preset.training.noise_rule,
                head_batch=preset.training.head_batch,
                **shared,
            )
        if codec.kind != "rvq":
            raise ModelError(f"'{preset.name}' models codes, but '{codec.name}' is a VAE")
        books, cardinality = preset.codebooks or codec.width, int(codec.quantizer["cardinality"])
        if books > codec.width:
            raise ModelError(f"'{preset.name}' wants {books} codebooks; '{codec.name}' has {codec.width}")
        head = _head(preset, codebooks=books, cardinality=cardinality)
        part = preset.training
        return CodeModel(
            books,
            cardinality,
            preset.delays,
            backbone,
            head,
            depth_dropout=part.depth_dropout,
            masking=part.masking,
            first_weight=part.first_codebook,
            **shared,
        )


def make_codec(preset: CodecPreset, device: str = "cpu", seed: int = 0) -> Codec:
    """A codec with random weights from `seed`. Raises ModelError when sizes do not fit together."""
    with torch.random.fork_rng(devices=[]), torch.device(device):
        torch.manual_seed(seed)
        return build_codec(preset)


def make_tokenizer(preset: ModelPreset, file: Path | None = None) -> Tokenizer | None:
    """The text tokenizer of a preset, None where it reads no text. `file`: a SentencePiece model."""
    text = preset.text
    if text is None:
        return None
    if text.tokenizer == "characters":
        return Characters(text.alphabet)
    return HashedWords(text.size) if text.tokenizer == "hashed_words" else SentencePiece(text.size, file)


def _transformer(dim: int, sizes: TransformerSizes) -> Transformer:
    if dim % sizes.heads or dim // sizes.heads % 2:
        raise ModelError(f"a width of {dim} does not divide into {sizes.heads} heads of an even size")
    return Transformer(dim, sizes.layers, sizes.heads, sizes.feedforward, sizes.window, sizes.norm, sizes.activation)


def _conditioning(preset: ModelPreset, codec: CodecPreset) -> Conditioning | None:
    if preset.text is None:
        return None
    width = codec.dimensions if preset.kind == "calm" else preset.dim
    return Conditioning(preset.dim, preset.text.size, width if preset.text.voice_prompt else None)


def _head(preset: ModelPreset, **sizes: int) -> Any:
    """The head by its table entry; a keyword that its class does not take is a ModelError."""
    module, _, name = HEADS[preset.head["kind"]].target.partition(":")
    make: type[nn.Module] = getattr(importlib.import_module(module), name)
    keywords = {key: value for key, value in preset.head.items() if key != "kind"}
    try:
        return make(condition=preset.dim, **sizes, **keywords)
    except TypeError as error:
        raise ModelError(f"preset '{preset.name}': head: {error}") from error
