"""The transformer of all-MiniLM-L6-v2 (a BERT of six layers) in torch, from the tensors of its safetensors file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from calm_eval.errors import InputError

LAYERS = 6
WIDTH = 384
HEADS = 12
INNER = 1536
VOCABULARY = 30522
POSITIONS = 512
_EPSILON = 1e-12


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors that are used; the pooler's, made for another task, are not."""
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (VOCABULARY, WIDTH),
        "embeddings.position_embeddings.weight": (POSITIONS, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
    }
    layer = {
        "attention.self.query": (WIDTH, WIDTH),
        "attention.self.key": (WIDTH, WIDTH),
        "attention.self.value": (WIDTH, WIDTH),
        "attention.output.dense": (WIDTH, WIDTH),
        "intermediate.dense": (INNER, WIDTH),
        "output.dense": (WIDTH, INNER),
    }
    norms = ["embeddings.LayerNorm"]
    for number in range(LAYERS):
        for name, shape in layer.items():
            shapes[f"encoder.layer.{number}.{name}.weight"] = shape
            shapes[f"encoder.layer.{number}.{name}.bias"] = shape[:1]
        norms += [f"encoder.layer.{number}.{name}.LayerNorm" for name in ("attention.output", "output")]
    shapes.update({f"{norm}.{part}": (WIDTH,) for norm in norms for part in ("weight", "bias")})
    return shapes


class MiniLMNetwork:
    """Token ids to the mean of the last layer's states, in float32.

    `tensors` are torch's, by the names of `tensor_shapes`. Raises InputError when one is missing or has another shape.
    """

    def __init__(self, tensors: Mapping[str, Any], torch: Any, device: str) -> None:
        for name, shape in tensor_shapes().items():
            if name not in tensors:
                raise InputError(f"no tensor '{name}' in the file")
            if tuple(tensors[name].shape) != shape:
                raise InputError(f"tensor '{name}' has the shape {tuple(tensors[name].shape)}, expected {shape}")
        self._torch = torch
        self._tensors = {name: tensors[name].to(device=device, dtype=torch.float32) for name in tensor_shapes()}
        self._device = device

    def __call__(self, ids: list[int]) -> Any:
        """Ids of one text, 1 to 512 of them, to a torch vector [384], not normalised."""
        torch = self._torch
        with torch.inference_mode():
            states = self._tensors["embeddings.word_embeddings.weight"][torch.tensor(ids, device=self._device)]
            states = states + self._tensors["embeddings.position_embeddings.weight"][: len(ids)]
            states = states + self._tensors["embeddings.token_type_embeddings.weight"][0]
            states = self._norm("embeddings", states)
            for number in range(LAYERS):
                states = self._layer(f"encoder.layer.{number}", states)
            return states.mean(dim=0)

    def _layer(self, name: str, states: Any) -> Any:
        heard = self._linear(f"{name}.attention.output.dense", self._attend(f"{name}.attention.self", states))
        states = self._norm(f"{name}.attention.output", states + heard)
        inner = self._torch.nn.functional.gelu(self._linear(f"{name}.intermediate.dense", states))
        return self._norm(f"{name}.output", states + self._linear(f"{name}.output.dense", inner))

    def _attend(self, name: str, states: Any) -> Any:
        """Full attention in both directions (Vaswani et al. 2017), [tokens, 384] to the same."""
        tokens = len(states)
        query, key, value = (
            self._linear(f"{name}.{part}", states).reshape(tokens, HEADS, -1).transpose(0, 1)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(1, 2) / math.sqrt(WIDTH // HEADS)
        return (scores.softmax(dim=-1) @ value).transpose(0, 1).reshape(tokens, WIDTH)

    def _linear(self, name: str, states: Any) -> Any:
        return self._torch.nn.functional.linear(states, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"])

    def _norm(self, name: str, states: Any) -> Any:
        weight, bias = (self._tensors[f"{name}.LayerNorm.{part}"] for part in ("weight", "bias"))
        return self._torch.nn.functional.layer_norm(states, (WIDTH,), weight, bias, _EPSILON)
