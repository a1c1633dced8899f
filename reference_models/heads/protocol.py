"""What a head is: a loss on the frames of a sequence given Z, and one frame drawn given Z."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from reference_models.noise import Noise


@dataclass(frozen=True)
class Sampling:
    """How one frame is drawn. Each head uses what applies to it.

    `temperature`: for a continuous head the variance of its Gaussian noise (std = sqrt(temperature)); for a discrete
    one the softmax's (0 takes the likeliest code). `steps`: head evaluations of a continuous head. `cfg`: weight of
    classifier-free guidance, 1 is none. `top_k`: keep the k likeliest codes, 0 keeps all. `depth`: codebooks to draw,
    0 draws all. `text_temperature`: the softmax's of the inner monologue, where the model has one.
    """

    temperature: float = 1.0
    steps: int = 1
    cfg: float = 1.0
    top_k: int = 0
    depth: int = 0
    text_temperature: float = 0.7


class Head(Protocol):
    """One head. N counts frames: a batch at inference, batch times positions in training."""

    def loss(self, z: Tensor, target: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Loss of each frame, shape [N].

        `z` [N, condition]; `target` is latents [N, dimensions] (float, normalised to unit variance) or codes
        [N, codebooks] (int64; a negative code is not counted). `generator` makes the random times and noises, on the
        CPU.
        """
        ...

    def sample(self, z: Tensor, sampling: Sampling, noise: Noise, null: Tensor | None = None) -> Tensor:
        """One frame for each row: latents [N, dimensions], or codes [N, codebooks].

        `null` [N, condition] is the unconditional Z; it is there exactly when `sampling.cfg` is not 1. A continuous
        head guides Z itself (`guided`), a discrete head its logits. `len(noise)` is N.
        """
        ...

    def evaluations(self, sampling: Sampling) -> int:
        """Runs of the head's network for one frame: steps, depth, or 0 where there is no head network."""
        ...


def guided(z: Tensor, null: Tensor | None, weight: float) -> Tensor:
    """Latent classifier-free guidance (CALM): `null + weight * (z - null)`; without `null`, `z` itself."""
    return z if null is None else null + weight * (z - null)
