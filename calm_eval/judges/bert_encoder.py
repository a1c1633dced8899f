"""BERT's encoder in torch (Devlin et al. 2019), for the models that differ from it in size, positions and pooling."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calm_eval.errors import InputError


@dataclass(frozen=True)
class BertShape:
    """Sizes of an encoder; `types` are token types, of which the first is used, `epsilon` the layer norms'."""

    layers: int
    width: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the tensors as in transformers' checkpoints, without a pooler."""
        shapes: dict[str, tuple[int, ...]] = {
            "embeddings.word_embeddings.weight": (self.vocabulary, self.width),
            "embeddings.position_embeddings.weight": (self.positions, self.width),
            "embeddings.token_type_embeddings.weight": (self.types, self.width),
        }
        layer = {
            "attention.self.query": (self.width, self.width),
            "attention.self.key": (self.width, self.width),
            "attention.self.value": (self.width, self.width),
            "attention.output.dense": (self.width, self.width),
            "intermediate.dense": (self.inner, self.width),
            "output.dense": (self.width, self.inner),
        }
        norms = ["embeddings.LayerNorm"]
        for number in range(self.layers):
            for name, shape in layer.items():
                shapes[f"encoder.layer.{number}.{name}.weight"] = shape
                shapes[f"encoder.layer.{number}.{name}.bias"] = shape[:1]
            norms += [f"encoder.layer.{number}.{name}.LayerNorm" for name in ("attention.output", "output")]
        shapes.update({f"{norm}.{part}": (self.width,) for norm in norms for part in ("weight", "bias")})
        return shapes


class BertEncoder:
    """Token ids and their positions to the states of the last layer, in float32.

    `tensors` are torch's, by the names of `BertShape.tensors`. Raises InputError when one is missing or has another
    shape.
    """

    def __init__(self, tensors: Mapping[str, Any], shape: BertShape, torch: Any, device: str) -> None:
        for name, expected in shape.tensors().items():
            if name not in tensors:
                raise InputError(f"no tensor '{name}' in the file")
            if tuple(tensors[name].shape) != expected:
                raise InputError(f"tensor '{name}' has the shape {tuple(tensors[name].shape)}, expected {expected}")
        self._torch, self._device, self._shape = torch, device, shape
        self._tensors = {name: tensors[name].to(device=device, dtype=torch.float32) for name in shape.tensors()}

    def __call__(self, ids: Sequence[int], positions: Sequence[int]) -> Any:
        """Ids of one text to states [tokens, width]. To be called where gradients are off."""
        states = self._rows("word", ids) + self._rows("position", positions)
        states = self._norm("embeddings", states + self._tensors["embeddings.token_type_embeddings.weight"][0])
        for number in range(self._shape.layers):
            states = self._layer(f"encoder.layer.{number}", states)
        return states

    def _rows(self, kind: str, numbers: Sequence[int]) -> Any:
        return self._tensors[f"embeddings.{kind}_embeddings.weight"][
            self._torch.tensor(list(numbers), device=self._device)
        ]

    def _layer(self, name: str, states: Any) -> Any:
        heard = self._linear(f"{name}.attention.output.dense", self._attend(f"{name}.attention.self", states))
        states = self._norm(f"{name}.attention.output", states + heard)
        inner = self._torch.nn.functional.gelu(self._linear(f"{name}.intermediate.dense", states))
        return self._norm(f"{name}.output", states + self._linear(f"{name}.output.dense", inner))

    def _attend(self, name: str, states: Any) -> Any:
        """Full attention in both directions (Vaswani et al. 2017), [tokens, width] to the same."""
        tokens, heads, width = len(states), self._shape.heads, self._shape.width
        query, key, value = (
            self._linear(f"{name}.{part}", states).reshape(tokens, heads, -1).transpose(0, 1)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(1, 2) / math.sqrt(width // heads)
        return (scores.softmax(dim=-1) @ value).transpose(0, 1).reshape(tokens, width)

    def _linear(self, name: str, states: Any) -> Any:
        return self._torch.nn.functional.linear(states, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"])

    def _norm(self, name: str, states: Any) -> Any:
        weight, bias = (self._tensors[f"{name}.LayerNorm.{part}"] for part in ("weight", "bias"))
        return self._torch.nn.functional.layer_norm(states, (self._shape.width,), weight, bias, self._shape.epsilon)
