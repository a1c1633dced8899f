"""Torch modules that only hold tensors by name, for networks whose arithmetic is written out over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def unfilled(torch: Any, build: Callable[[], Any]) -> Any:
    """What `build` makes, with memory that holds nothing yet: random numbers that are replaced at once cost seconds."""
    with torch.device("meta"):
        made = build()
    return made.to_empty(device="cpu")


def tensor_module(torch: Any, shapes: Mapping[str, tuple[int, ...]], ones: tuple[str, ...] = ()) -> Any:
    """Parameters of these names and shapes, as at the start of a training: matrices normal with 0.02, else zeros.

    Vectors whose name ends in one of `ones`, the weights of norms, are ones.
    """
    root = torch.nn.Module()
    for name, shape in shapes.items():
        *path, leaf = name.split(".")
        place = root
        for part in path:
            if part not in place._modules:
                place.add_module(part, torch.nn.Module())
            place = place._modules[part]
        drawn = 0.02 * torch.randn(shape) if len(shape) > 1 else torch.zeros(shape)
        place.register_parameter(leaf, torch.nn.Parameter(drawn + 1 if name.endswith(ones) else drawn))
    return root
