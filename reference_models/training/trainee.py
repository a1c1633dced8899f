"""What the loop trains: a module, the loss of a batch, and the weights that a checkpoint holds."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import nn

from reference_models.codecs.codec import Codec
from reference_models.codecs.objective import Objective
from reference_models.models.batch import Batch, Losses
from reference_models.models.calm import CALM
from reference_models.models.conditioning import drop
from reference_models.models.distillation import distillation_loss
from reference_models.models.language_model import LanguageModel
from reference_models.presets import TrainingPart
from reference_models.training.feeds import Given


class Trainee(Protocol):
    """`module` is trained and saved. Parameters that want no gradient stay as they are."""

    @property
    def module(self) -> nn.Module:
        """What a checkpoint holds."""
        ...

    def loss(self, given: Given, generator: torch.Generator) -> Losses:
        """The loss of a batch; every random draw comes from `generator` (CPU)."""
        ...


class CodecTrainee:
    """A codec under its objective."""

    def __init__(self, codec: Codec, objective: Objective) -> None:
        self.module, self._objective = codec, objective

    def loss(self, given: Given, generator: torch.Generator) -> Losses:
        """The weighed terms of the reconstruction."""
        assert given.audio is not None
        loss = self._objective(given.audio, self.module(given.audio, generator))
        return Losses(loss.total, loss.parts)


class ModelTrainee:
    """A language model; in training mode conditions are dropped as the preset says."""

    def __init__(self, model: LanguageModel, part: TrainingPart) -> None:
        self.module, self._part = model, part

    def loss(self, given: Given, generator: torch.Generator) -> Losses:
        """The model's own loss."""
        batch = given.frames
        assert batch is not None
        if batch.conditions is not None and self.module.training:
            kept = drop(batch.conditions, self._part.text_dropout, self._part.voice_dropout, generator)
            batch = Batch(batch.frames, batch.lengths, kept, batch.words)
        losses: Losses = self.module.loss(batch, generator)
        return losses


class StudentTrainee:
    """A student that learns its teacher's guided Z."""

    def __init__(self, student: CALM, teacher: CALM, guidance: float) -> None:
        self.module, self._teacher, self._guidance = student, teacher, guidance

    def loss(self, given: Given, generator: torch.Generator) -> Losses:
        """The distance of the two."""
        assert given.frames is not None
        return distillation_loss(self.module, self._teacher, given.frames, self._guidance)
