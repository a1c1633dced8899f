"""Semantic distillation: latents that agree with a speech model's features (Mimi; CALM does it on all latents)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from reference_models.errors import ModelError


class Distillation(nn.Module):
    """One minus the cosine of linearly projected latents and the teacher's features, mean over frames.

    The projection is part of the training only.
    """

    def __init__(self, latents: int, teacher: int) -> None:
        super().__init__()
        self.teacher = teacher
        self.project = nn.Linear(latents, teacher, bias=False)

    def forward(self, latents: Tensor, features: Tensor) -> Tensor:
        """Latents [B, S, latents] and the teacher's features [B, R, teacher] of the same audio; a scalar in [0, 2].

        The features are brought to S frames (`resampled`). Raises ModelError for features of another shape.
        """
        if features.dim() != 3 or features.shape[0] != latents.shape[0] or features.shape[-1] != self.teacher:
            raise ModelError(f"teacher features of shape {tuple(features.shape)}: give [batch, frames, {self.teacher}]")
        goal = resampled(features.detach(), latents.shape[1])
        return 1.0 - functional.cosine_similarity(self.project(latents), goal, dim=-1).mean()


def resampled(features: Tensor, frames: int) -> Tensor:
    """Linear interpolation in time, [B, R, C] -> [B, frames, C]; both rates tile the same span.

    Output frame s looks at the time of its centre, (s + 0.5) * R / frames - 0.5 in input frames.
    """
    return functional.interpolate(features.transpose(1, 2), size=frames, mode="linear").transpose(1, 2)
