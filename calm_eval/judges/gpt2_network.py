"""GPT-2's smallest size in torch (Radford et al. 2019), by the key names of transformers' checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from calm_eval.judges.tensor_module import tensor_module

LAYERS, WIDTH, HEADS = 12, 768, 12
VOCABULARY, POSITIONS = 50257, 1024
BUFFERS = frozenset(f"h.{place}.attn.{name}" for place in range(LAYERS) for name in ("bias", "masked_bias"))
"""Keys of older checkpoints that hold no learned numbers."""


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes; matrices are [inputs, outputs]."""
    shapes: dict[str, tuple[int, ...]] = {"wte.weight": (VOCABULARY, WIDTH), "wpe.weight": (POSITIONS, WIDTH)}
    dense = {
        "attn.c_attn": (WIDTH, 3 * WIDTH),
        "attn.c_proj": (WIDTH, WIDTH),
        "mlp.c_fc": (WIDTH, 4 * WIDTH),
        "mlp.c_proj": (4 * WIDTH, WIDTH),
    }
    norms = [f"h.{place}.{name}" for place in range(LAYERS) for name in ("ln_1", "ln_2")]
    for place in range(LAYERS):
        for name, shape in dense.items():
            shapes[f"h.{place}.{name}.weight"] = shape
            shapes[f"h.{place}.{name}.bias"] = shape[1:]
    shapes.update({f"{norm}.{part}": (WIDTH,) for norm in [*norms, "ln_f"] for part in ("weight", "bias")})
    return shapes


def build(torch: Any) -> Any:
    """A module that holds the tensors by the checkpoint's names."""
    return tensor_module(torch, tensor_shapes(), ones=("ln_1.weight", "ln_2.weight", "ln_f.weight"))


class Gpt2Network:
    """Token ids to the last layer's states, from a module of `build`."""

    def __init__(self, module: Any, torch: Any, device: str) -> None:
        self._torch, self._device = torch, device
        self._tensors = {name: value.to(device) for name, value in module.state_dict().items()}

    def __call__(self, ids: Sequence[int]) -> Any:
        """Ids of one text to states [tokens, 768]; each sees those before it alone. Gradients are to be off."""
        torch, functional = self._torch, self._torch.nn.functional
        rows = torch.tensor(list(ids), device=self._device)
        states = self._tensors["wte.weight"][rows] + self._tensors["wpe.weight"][: len(rows)]
        for place in range(LAYERS):
            split = self._dense(f"h.{place}.attn.c_attn", self._norm(f"h.{place}.ln_1", states))
            query, key, value = split.reshape(len(rows), 3, HEADS, WIDTH // HEADS).permute(1, 2, 0, 3)
            mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
            states = states + self._dense(f"h.{place}.attn.c_proj", mixed.transpose(0, 1).reshape(len(rows), WIDTH))
            hidden = self._dense(f"h.{place}.mlp.c_fc", self._norm(f"h.{place}.ln_2", states))
            states = states + self._dense(f"h.{place}.mlp.c_proj", functional.gelu(hidden, approximate="tanh"))
        return self._norm("ln_f", states)

    def _dense(self, name: str, states: Any) -> Any:
        return states @ self._tensors[f"{name}.weight"] + self._tensors[f"{name}.bias"]

    def _norm(self, name: str, states: Any) -> Any:
        weight, bias = (self._tensors[f"{name}.{part}"] for part in ("weight", "bias"))
        return self._torch.nn.functional.layer_norm(states, (WIDTH,), weight, bias, 1e-5)
