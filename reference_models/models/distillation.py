"""Latent distillation: a smaller backbone learns the guided Z of a frozen teacher, whose heads it keeps.

Source: CALM, section on latent distillation, and Pocket TTS's training code.
"""

from __future__ import annotations

import torch
from torch import Tensor

from reference_models.errors import ModelError
from reference_models.heads.protocol import guided
from reference_models.models.batch import Batch, Losses
from reference_models.models.calm import CALM
from reference_models.models.conditioning import without_text


def seed_student(student: CALM, teacher: CALM) -> None:
    """Start a student from its teacher: everything outside the backbone, and the bottom and top layers of it.

    Head, stop head and latent statistics stay frozen. Raises ModelError when widths differ or the student is deeper.
    """
    inner, outer = len(student.backbone.layers), len(teacher.backbone.layers)
    if student.dim != teacher.dim or inner > outer:
        raise ModelError(
            f"a student has its teacher's width and no more layers: {student.dim} x {inner}, {teacher.dim} x {outer}"
        )
    bottom = (inner + 1) // 2
    chosen = [*range(bottom), *range(outer - (inner - bottom), outer)]
    weights = {name: value for name, value in teacher.state_dict().items() if not name.startswith("backbone.layers.")}
    for mine, theirs in enumerate(chosen):
        for name, value in teacher.backbone.layers[theirs].state_dict().items():
            weights[f"backbone.layers.{mine}.{name}"] = value
    try:
        student.load_state_dict(weights)
    except RuntimeError as error:
        raise ModelError(f"student and teacher differ in more than the depth of the backbone: {error}") from error
    for name, weight in student.named_parameters():
        if name.startswith(("head.", "stop.")):
            weight.requires_grad_(False)


def distillation_loss(student: CALM, teacher: CALM, batch: Batch, cfg: float) -> Losses:
    """Mean squared distance of the student's Z to the teacher's guided Z, over real frames and the one after the last.

    `cfg` is the teacher's guidance weight (1.5 in the paper, 2.0 in Pocket TTS). The student sees no dropout.
    """
    assert batch.conditions is not None
    with torch.no_grad():
        null = Batch(batch.frames, batch.lengths, [without_text(one) for one in batch.conditions], batch.words)
        target = guided(teacher.conditions_of_frames(batch), teacher.conditions_of_frames(null), cfg)
    real: Tensor = torch.arange(target.shape[1], device=target.device)[None] <= batch.lengths[:, None]
    distance = (student.conditions_of_frames(batch) - target).square().mean(dim=-1)[real].mean()
    return Losses(distance, {"distance": distance})
