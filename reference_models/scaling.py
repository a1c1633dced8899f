"""Smaller versions of a preset for timing: depth and width shrink alike, rates and widths of frames stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reference_models.codecs.seanet import SEANetShape
from reference_models.errors import ModelError
from reference_models.presets import CodecPreset, ModelPreset, TransformerSizes

_HEAD_DEPTHS = ("blocks", "layers")
_HEAD_WIDTHS = ("width", "dim", "feedforward")
_MULTIPLE = 8
"""Widths are multiples of this: no size is odd."""


def scaled_model(preset: ModelPreset, factor: float) -> ModelPreset:
    """The language model with about `factor` times the layers, heads and widths. Raises ModelError out of (0, 1]."""
    _check(factor)
    wide = preset.dim // preset.backbone.heads
    dim = _count(preset.backbone.heads, factor) * wide
    short = preset.short_context
    head = {key: _head_size(key, value, preset.head, factor) for key, value in preset.head.items()}
    return preset.model_copy(
        update={
            "dim": dim,
            "backbone": _transformer(preset.backbone, dim // wide, factor),
            "short_context": None if short is None else _transformer(short, dim * short.heads // preset.dim, factor),
            "head": head,
            "parameters": {},
            "published": {},
        }
    )


def scaled_codec(preset: CodecPreset, factor: float) -> CodecPreset:
    """The codec with smaller convolutions and transformers inside; its frames are the same numbers.

    Raises ModelError for a factor out of (0, 1], or a form that is not SEANet.
    """
    _check(factor)
    if preset.form.get("kind") != "seanet":
        raise ModelError(f"'{preset.name}' cannot be scaled: only codecs of the form seanet can")
    shape = SEANetShape(**{key: value for key, value in preset.form.items() if key != "kind"})
    heads = _count(shape.heads, factor)
    form: dict[str, Any] = {
        **preset.form,
        "filters": _width(shape.filters, factor),
        "heads": heads,
        "dimension": heads * (shape.dimension // shape.heads),
        "feedforward": _width(shape.feedforward, factor),
        "layers": _count(shape.layers, factor) if shape.layers else 0,
    }
    return preset.model_copy(update={"form": form, "parameters": {}})


def _transformer(sizes: TransformerSizes, heads: int, factor: float) -> TransformerSizes:
    return sizes.model_copy(
        update={
            "layers": _count(sizes.layers, factor),
            "heads": max(1, heads),
            "feedforward": _width(sizes.feedforward, factor),
        }
    )


def _head_size(key: str, value: Any, head: Mapping[str, Any], factor: float) -> Any:
    """One keyword of a head: depths and widths shrink, and a depth transformer keeps the width of its heads."""
    if key in _HEAD_DEPTHS or key == "heads":
        return _count(int(value), factor)
    if key == "dim" and "heads" in head:
        return _count(int(head["heads"]), factor) * (int(value) // int(head["heads"]))
    return _width(int(value), factor) if key in _HEAD_WIDTHS else value


def _count(number: int, factor: float) -> int:
    return max(1, round(number * factor))


def _width(number: int, factor: float) -> int:
    return max(1, round(number * factor / _MULTIPLE)) * _MULTIPLE


def _check(factor: float) -> None:
    if not 0 < factor <= 1:
        raise ModelError(f"a scale is above 0 and at most 1, not {factor:g}")
