"""How many bytes of weights one frame reads: what a step costs where memory is the limit."""

from __future__ import annotations

from torch import nn

from reference_models.codecs.codec import Codec
from reference_models.heads.protocol import Sampling
from reference_models.heads.rq_depth import DepthTransformer
from reference_models.models.code_model import CodeModel
from reference_models.models.language_model import LanguageModel

_BACKBONE = ("backbone", "norm", "into_backbone", "short_context", "into_short", "short_norm")


def weight_bytes(model: LanguageModel, codec: Codec, sampling: Sampling) -> dict[str, float]:
    """Bytes by part (`backbone`, `head`, `codec`, `other`: the inner monologue) for one frame of a sample or batch.

    A continuous head is read once for each step. Each depth of a depth transformer has its own weights, so a frame
    reads as many shares of it as codebooks are drawn. Of embeddings only rows are read: they are left out. The decoder
    counts once, though its convolutions pass over a frame many times: they then come from a cache.
    """
    backbone = sum(_size(child) for name, child in model.named_children() if name in _BACKBONE)
    words = model.text_stream
    return {
        "other": 0.0 if words is None else float(_size(words.logits)),
        "backbone": float(backbone),
        "head": _head_bytes(model, sampling),
        "codec": float(_size(codec.decoder)),
    }


def _head_bytes(model: LanguageModel, sampling: Sampling) -> float:
    head = model.head
    assert isinstance(head, nn.Module)
    if not isinstance(model, CodeModel):
        return float(_size(head) * sampling.steps)
    if not isinstance(head, DepthTransformer):
        return float(_size(head))
    embeddings = head.embeddings.numel() * head.embeddings.element_size()
    return float(_size(head) - embeddings) * (sampling.depth or model.codebooks) / model.codebooks


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() * parameter.element_size() for parameter in module.parameters())
