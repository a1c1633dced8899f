"""The prefix of a sequence: a voice prompt, then a text or caption (layout of Pocket TTS's training code)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from reference_models.backbone.transformer import linear


@dataclass(frozen=True)
class Conditions:
    """What one sample is conditioned on; None is the null condition.

    `text` holds token numbers [tokens] (int64), `voice` the frames of a voice prompt as the codec gives them: latents
    [frames, dimensions] or codes [frames, codebooks].
    """

    text: Tensor | None = None
    voice: Tensor | None = None


class Conditioning(nn.Module):
    """Embeds a prefix: `[start of voice, voice frames, text tokens]`, or a learned null token where there is no text.

    `voice_width` is the width of an embedded voice frame before projection; None for models without voice prompts.
    """

    def __init__(self, dim: int, tokens: int, voice_width: int | None) -> None:
        super().__init__()
        self.text = nn.Embedding(tokens, dim)
        self.null_text = nn.Parameter(torch.randn(1, dim))
        self.voice_start = nn.Parameter(torch.randn(1, dim)) if voice_width is not None else None
        self.voice = linear(voice_width, dim) if voice_width is not None else None
        # Of unit variance, as embedded frames are: smaller tokens drown in what the first layers add to them.
        nn.init.normal_(self.text.weight)

    def forward(self, text: Tensor | None, voice: Tensor | None) -> Tensor:
        """The prefix of one sample, [positions, dim]; `voice` [frames, voice_width]."""
        parts = [] if self.voice_start is None else [self.voice_start]
        if voice is not None and self.voice is not None:
            parts.append(self.voice(voice))
        parts.append(self.null_text if text is None else self.text(text))
        return torch.cat(parts)


def without_text(conditions: Conditions) -> Conditions:
    """The null condition of classifier-free guidance: no text, the same voice (CALM; Pocket TTS drops both)."""
    return replace(conditions, text=None)


def drop(
    conditions: Sequence[Conditions], text: float, voice: float, generator: torch.Generator | None
) -> list[Conditions]:
    """Condition dropout in training: text and voice are left out independently (CALM: each with 0.2)."""
    draws = torch.rand(len(conditions), 2, generator=generator)
    return [
        Conditions(
            text=None if float(draw[0]) < text else one.text,
            voice=None if float(draw[1]) < voice else one.voice,
        )
        for one, draw in zip(conditions, draws, strict=True)
    ]


def left_pad(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
    """Rows [positions, dim] of different lengths as [batch, longest, dim], aligned at the end.

    The second value counts the padding of each row, [batch]; None when there is none.
    """
    longest = max(row.shape[0] for row in rows)
    missing = [longest - row.shape[0] for row in rows]
    if not any(missing):
        return torch.stack(list(rows)), None
    padded = [nn.functional.pad(row, (0, 0, count, 0)) for row, count in zip(rows, missing, strict=True)]
    return torch.stack(padded), torch.tensor(missing, device=rows[0].device)
