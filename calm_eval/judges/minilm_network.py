"""The transformer of all-MiniLM-L6-v2 (a BERT of six layers) in torch, from the tensors of its safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calm_eval.judges.bert_encoder import BertEncoder, BertShape

LAYERS = 6
WIDTH = 384
HEADS = 12
INNER = 1536
VOCABULARY = 30522
POSITIONS = 512
SHAPE = BertShape(LAYERS, WIDTH, HEADS, INNER, VOCABULARY, POSITIONS, types=2, epsilon=1e-12)


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors that are used; the pooler's, made for another task, are not."""
    return SHAPE.tensors()


class MiniLMNetwork:
    """Token ids to the mean of the last layer's states, in float32.

    `tensors` are torch's, by the names of `tensor_shapes`. Raises InputError when one is missing or has another shape.
    """

    def __init__(self, tensors: Mapping[str, Any], torch: Any, device: str) -> None:
        self._torch = torch
        self._encoder = BertEncoder(tensors, SHAPE, torch, device)

    def __call__(self, ids: list[int]) -> Any:
        """Ids of one text, 1 to 512 of them, to a torch vector [384], not normalised."""
        with self._torch.inference_mode():
            return self._encoder(ids, range(len(ids))).mean(dim=0)
