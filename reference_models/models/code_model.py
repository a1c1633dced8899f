"""Discrete language models over the codes of an RVQ codec: the RQ-Transformer and the MusicGen-style delay pattern.

Both are one causal backbone over columns of codes; they differ in head and delays. RQ-Transformer (Moshi): a depth
transformer, acoustic delay (0, 1, 1, ...). MusicGen: one softmax a codebook, delays (0, 1, 2, 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that every reader knows

from reference_models.backbone.transformer import NormKind, Transformer
from reference_models.errors import ModelError
from reference_models.heads.categorical import code_losses
from reference_models.heads.delays import apply_delays, check_delays
from reference_models.heads.protocol import Head, Sampling
from reference_models.models.batch import Batch, Losses
from reference_models.models.conditioning import Conditioning, Conditions
from reference_models.models.language_model import LanguageModel, State
from reference_models.noise import Noise


class CodeHead(Head, Protocol):
    """A head over codes, which can also tell how likely they are."""

    def logits(self, z: Tensor, codes: Tensor) -> Tensor:
        """Teacher-forced logits [N, codebooks, cardinality]."""
        ...


class CodeModel(LanguageModel):
    """`codebooks` of `cardinality` codes a frame; `delays` has one number for each codebook and must not fall.

    The code number `cardinality` is the filling: it stands in the start column, where a codebook has not begun, and
    where fewer codebooks than all are drawn (`Sampling.depth`). With `depth_dropout`, that share of the training rows
    is cut at a random depth, so that the model knows such sequences. With `masking`, a row in training hides a share
    of its past columns, uniform up to that number, behind the filling: what noise augmentation is to latents. A small
    model that always sees the whole past hardly learns to read its text. `first_weight` is how much a code of the first
    codebook weighs in the loss, the others weighing 1: it tells what is said, and they how it sounds (Moshi gives its
    semantic codebook 100).
    """

    def __init__(
        self,
        codebooks: int,
        cardinality: int,
        delays: Sequence[int],
        backbone: Transformer,
        head: CodeHead,
        *,
        depth_dropout: float = 0.0,
        masking: float = 0.0,
        first_weight: float = 1.0,
        norm: NormKind = "layer",
        conditioning: Conditioning | None = None,
        stop: bool = False,
        text_tokens: int = 0,
        stop_weight: float = 0.1,
        text_weight: float = 1.0,
    ) -> None:
        super().__init__(backbone, head, norm, conditioning, stop, text_tokens, stop_weight, text_weight)
        if len(delays) != codebooks or list(delays) != sorted(delays):
            raise ModelError(f"{codebooks} codebooks need as many delays that do not fall, not {list(delays)}")
        self.codebooks, self.fill = codebooks, cardinality
        self.delays = tuple(delays)
        self.longest_delay = check_delays(self.delays)
        self.depth_dropout, self.masking, self.first_weight = depth_dropout, masking, first_weight
        self.embedding = nn.Embedding(codebooks * (cardinality + 1), self.dim)
        nn.init.normal_(self.embedding.weight, std=codebooks**-0.5)  # a column has unit variance

    def embed(self, frames: Tensor) -> Tensor:
        """Sum of the codebooks' embeddings, [..., dim]."""
        first = torch.arange(self.codebooks, device=frames.device) * (self.fill + 1)
        return self.embedding(frames + first).sum(dim=-2)

    def embed_voice(self, frames: Tensor) -> Tensor:
        """A voice prompt's codes [frames, codebooks], embedded like the audio's."""
        return self.embed(frames)

    def first(self, prompt: Tensor | None) -> Tensor:
        """The start column, then the prompt's columns that are complete."""
        start = torch.full((1, self.codebooks), self.fill, device=self.embedding.weight.device)
        if prompt is None:
            return start
        return torch.cat([start, apply_delays(prompt[None], self.delays, self.fill)[0, : len(prompt)]])

    def begin(
        self,
        conditions: Sequence[Conditions],
        prompts: Sequence[Tensor | None],
        length: int,
        sampling: Sampling,
        noise: Noise,
    ) -> State:
        """As the base; codes beyond `sampling.depth` are taken out of prompts, delayed codes of prompts are kept."""
        shown = [None if one is None else self._cut(one, sampling.depth) for one in prompts]
        state = super().begin(conditions, shown, length + self.longest_delay, sampling, noise)
        state.forced = [
            torch.stack([self._known(prompt, place) for prompt in shown]) for place in range(self.longest_delay)
        ]
        return state

    def draw(self, state: State) -> Tensor:
        """The next column, [batch, codebooks]; what is known of it beforehand is not drawn."""
        drawn = super().draw(state)
        column = F.pad(drawn, (0, self.codebooks - drawn.shape[1]), value=self.fill)
        if not state.forced:
            return column
        known = state.forced.pop(0)
        return torch.where(known >= 0, known, column)

    def loss(self, batch: Batch, generator: torch.Generator | None = None) -> Losses:
        """Weighted mean cross-entropy of a code in nats. `generator` draws the depth dropout."""
        columns = apply_delays(self._targets(batch, generator), self.delays, -1)
        z = self._condition(self._masked(columns, generator), batch)
        counted = columns >= 0
        rows = counted.any(dim=-1)
        if self.first_weight == 1:
            # A head's loss is a sum over the counted codes of a column, divided by the number of codebooks.
            drawn = self.head.loss(z[:, :-1][rows], columns[rows], generator).sum() * self.codebooks / counted.sum()
            return self._losses(drawn, z, batch)
        weights = torch.ones(self.codebooks, device=z.device)
        weights[0] = self.first_weight
        head: CodeHead = self.head  # type: ignore[assignment]  # the base knows only what all heads share
        each = code_losses(head.logits(z[:, :-1][rows], columns[rows]), columns[rows])
        return self._losses((each * weights).sum() / (counted * weights).sum(), z, batch)

    def teacher_forced(self, codes: Tensor, conditions: Sequence[Conditions] | None = None) -> Tensor:
        """Logits of every column given the true past: [batch, frames + longest delay, codebooks, cardinality]."""
        lengths = torch.full((codes.shape[0],), codes.shape[1], device=codes.device)
        columns = apply_delays(codes, self.delays, -1)
        z = self._condition(columns, Batch(codes, lengths, conditions))[:, :-1]
        head: CodeHead = self.head  # type: ignore[assignment]  # the base knows only what all heads share
        return head.logits(z.flatten(0, 1), columns.flatten(0, 1)).unflatten(0, z.shape[:2])

    def _condition(self, columns: Tensor, batch: Batch) -> Tensor:
        start = columns.new_full((columns.shape[0], 1, self.codebooks), self.fill)
        return self.hidden(torch.cat([start, torch.where(columns < 0, self.fill, columns)], dim=1), batch)

    def _masked(self, columns: Tensor, generator: torch.Generator | None) -> Tensor:
        if not self.training or self.masking == 0:
            return columns
        share = self.masking * torch.rand(columns.shape[0], 1, generator=generator)
        hidden = torch.rand(columns.shape[:2], generator=generator) < share
        return torch.where(hidden.to(columns.device)[..., None], -1, columns)

    def _targets(self, batch: Batch, generator: torch.Generator | None) -> Tensor:
        codes = torch.where(batch.real()[..., None], batch.frames, -1)
        if self.training and self.depth_dropout > 0:
            rows = codes.shape[0]
            cut = torch.rand(rows, generator=generator) < self.depth_dropout
            depth = torch.randint(1, self.codebooks + 1, (rows,), generator=generator)
            depth = torch.where(cut, depth, self.codebooks).to(codes.device)
            deeper = torch.arange(self.codebooks, device=codes.device)[None] >= depth[:, None]
            codes = torch.where(deeper[:, None], -1, codes)
        return codes

    def _cut(self, prompt: Tensor, depth: int) -> Tensor:
        if depth in (0, self.codebooks):
            return prompt
        return F.pad(prompt[:, :depth], (0, self.codebooks - depth), value=self.fill)

    def _known(self, prompt: Tensor | None, place: int) -> Tensor:
        """What column `place` after the prompt already holds: the prompt's delayed codes, [codebooks], else -1."""
        past = 0 if prompt is None else len(prompt)
        known = torch.full((self.codebooks,), -1, device=self.embedding.weight.device)
        for book, delay in enumerate(self.delays):
            frame = past + place - delay
            if frame < past:
                known[book] = self.fill if prompt is None or frame < 0 else prompt[frame, book]
        return known
