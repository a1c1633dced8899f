"""RoBERTa base (Liu et al. 2019): the layers and key names of transformers' checkpoints, and its pooled answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from calm_eval.judges.bert_encoder import BertEncoder, BertShape
from calm_eval.judges.tensor_module import tensor_module

SHAPE = BertShape(12, 768, 12, 3072, vocabulary=50265, positions=514, types=1, epsilon=1e-5)
PADDING = 1
"""The id of the token that fills up; it has no place of its own, and the first place of the others is the next."""
POOLER = {"pooler.dense.weight": (SHAPE.width, SHAPE.width), "pooler.dense.bias": (SHAPE.width,)}
BUFFERS = frozenset({"embeddings.position_ids"})
"""Keys of older checkpoints that hold no learned numbers."""


def build(torch: Any) -> Any:
    """A module that holds the tensors by the checkpoint's names."""
    return tensor_module(torch, {**SHAPE.tensors(), **POOLER}, ones=("LayerNorm.weight",))


class RobertaNetwork:
    """Token ids to tanh of a dense layer over the state of the first, from a module of `build`."""

    def __init__(self, module: Any, torch: Any, device: str) -> None:
        tensors = module.state_dict()
        self._torch = torch
        self._encoder = BertEncoder(tensors, SHAPE, torch, device)
        self._weight, self._bias = (tensors[name].to(device) for name in POOLER)

    def __call__(self, ids: Sequence[int]) -> Any:
        """Ids of one text, without filling, to a vector [768]. To be called where gradients are off."""
        states = self._encoder(ids, places(ids))
        return self._torch.tanh(self._torch.nn.functional.linear(states[0], self._weight, self._bias))


def places(ids: Sequence[int]) -> list[int]:
    """The positions of tokens: 2, 3, ... for all but the padding token, which has 1 and is not counted."""
    found, last = [], PADDING
    for number in ids:
        last += number != PADDING
        found.append(last if number != PADDING else PADDING)
    return found
