"""The weighed training loss of a codec. A weight of None leaves its term out: neither built nor computed.

Speech and music use different sets: CALM trains its speech VAE without reconstruction terms (time, spectral) but with
distillation, its music VAE with reconstruction and without distillation (Pocket TTS technical report, eq. 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional

from reference_models.codecs.codec import Reconstruction
from reference_models.codecs.losses.adversarial import (
    MultiScaleDiscriminator,
    feature_matching,
    hinge_discriminator,
    hinge_generator,
)
from reference_models.codecs.losses.distillation import Distillation
from reference_models.codecs.losses.levels import level_error
from reference_models.codecs.losses.spectral import MultiScaleSpectral
from reference_models.codecs.losses.time import l1
from reference_models.errors import ModelError


@dataclass(frozen=True)
class Weights:
    """Weights of the terms; None or 0 switches a term off.

    `kl` is for a VAE, `commitment` for an RVQ codec, `levels` for a decoder that works on magnitudes.
    """

    time: float | None = None
    spectral: float | None = None
    levels: float | None = None
    adversarial: float | None = None
    features: float | None = None
    kl: float | None = None
    commitment: float | None = None
    distillation: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            weight = getattr(self, field.name)
            if weight is not None and not 0.0 <= weight < float("inf"):
                raise ModelError(f"loss weight {field.name} = {weight}: give a number of at least 0, or None")
        if not self.active:
            raise ModelError("every loss weight is off: give at least one")

    @property
    def active(self) -> dict[str, float]:
        """The weights that are on, by name."""
        weights = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: float(weight) for name, weight in weights.items() if weight}


@dataclass(frozen=True)
class Teacher:
    """What distillation needs: the widths of the codec's latents and of the teacher's features."""

    latents: int
    features: int


@dataclass(frozen=True)
class Loss:
    """`total` is the weighed sum; `parts` are the terms without their weights, by name."""

    total: Tensor
    parts: dict[str, Tensor]


class Objective(nn.Module):
    """The loss of the codec (`forward`) and that of its discriminator (`judge`).

    Parameters here belong to training only: the discriminator's to its own optimiser, the distillation's projection
    to the codec's.
    """

    def __init__(
        self,
        weights: Weights,
        sample_rate: int,
        *,
        spectral_sizes: Sequence[int] = (128, 256, 512, 1024, 2048),
        mel_bands: Sequence[int] | None = None,
        discriminator_sizes: Sequence[int] = (2048, 1024, 512, 256, 128),
        discriminator_filters: int = 32,
        teacher: Teacher | None = None,
    ) -> None:
        super().__init__()
        self.weights = weights.active
        self.spectral = MultiScaleSpectral(sample_rate, spectral_sizes, mel_bands) if weights.spectral else None
        self.discriminator = (
            MultiScaleDiscriminator(discriminator_sizes, discriminator_filters)
            if weights.adversarial or weights.features
            else None
        )
        self.distillation = None
        if weights.distillation:
            if teacher is None:
                raise ModelError("distillation has a weight but no teacher: give the widths of latents and features")
            self.distillation = Distillation(teacher.latents, teacher.features)

    def forward(self, audio: Tensor, made: Reconstruction, teacher: Tensor | None = None) -> Loss:
        """The codec's loss for audio [B, 1, T], T at most that of the reconstruction (zeros follow).

        `teacher` [B, R, features] is there exactly when distillation is on. Raises ModelError when a term lacks what it
        compares.
        """
        if (teacher is None) != (self.distillation is None):
            raise ModelError("give the teacher's features exactly when distillation has a weight")
        audio = _fitted(audio, made.audio)
        parts: dict[str, Tensor] = {}
        if "time" in self.weights:
            parts["time"] = l1(audio, made.audio)
        if self.spectral is not None:
            parts["spectral"] = self.spectral(audio, made.audio)
        if "levels" in self.weights:
            if made.levels is None:
                raise ModelError("a weight of levels for a decoder that does not work on magnitudes: switch it off")
            parts["levels"] = level_error(made.levels.made, made.levels.true)
        if self.discriminator is not None:
            parts |= self._adversarial(audio, made.audio, self.discriminator)
        if "kl" in self.weights:
            if made.posterior is None:
                raise ModelError("a KL weight for a codec without a Gaussian bottleneck: switch it off")
            parts["kl"] = made.posterior.kl()
        if "commitment" in self.weights:
            if made.quantised is None:
                raise ModelError("a commitment weight for a codec without a quantizer: switch it off")
            parts["commitment"] = made.quantised.commitment
        if self.distillation is not None:
            parts["distillation"] = self.distillation(made.latents, teacher)
        total = torch.stack([self.weights[name] * part for name, part in parts.items()]).sum()
        return Loss(total, parts)

    def judge(self, audio: Tensor, made: Tensor) -> Tensor:
        """The discriminator's hinge loss for real and made audio; no gradient reaches the codec.

        Raises ModelError if no term has a discriminator.
        """
        if self.discriminator is None:
            raise ModelError("adversarial and feature terms are off: there is no discriminator to train")
        real = self.discriminator(_fitted(audio, made))
        fake = self.discriminator(made.detach())
        return hinge_discriminator([scale.logits for scale in real], [scale.logits for scale in fake])

    def _adversarial(self, audio: Tensor, made: Tensor, discriminator: MultiScaleDiscriminator) -> dict[str, Tensor]:
        fake = discriminator.frozen(made)
        parts: dict[str, Tensor] = {}
        if "adversarial" in self.weights:
            parts["adversarial"] = hinge_generator([scale.logits for scale in fake])
        if "features" in self.weights:
            with torch.no_grad():
                real = discriminator(audio)
            layers = ([layer for scale in judged for layer in scale.features] for judged in (real, fake))
            parts["features"] = feature_matching(*layers)
        return parts


def _fitted(audio: Tensor, made: Tensor) -> Tensor:
    missing = made.shape[-1] - audio.shape[-1]
    if missing < 0 or audio.shape[:-1] != made.shape[:-1]:
        raise ModelError(f"audio {tuple(audio.shape)} does not fit its reconstruction {tuple(made.shape)}")
    return functional.pad(audio, (0, missing))
