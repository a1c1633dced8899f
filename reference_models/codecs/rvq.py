"""Residual vector quantizer: each codebook codes what the ones before it left over (SoundStream, EnCodec)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from reference_models.codecs.codebook import Codebook
from reference_models.errors import ModelError


@dataclass(frozen=True)
class Quantised:
    """A training pass: `latents` [B, S, dimension] with straight-through gradients, and what it used.

    `codes` [B, S, codebooks] (int64; -1 past a row's depth), `depth` [B] codebooks used by each row, `commitment` a
    scalar: the mean square distance between what each used codebook had to code and its answer.
    """

    latents: Tensor
    codes: Tensor
    depth: Tensor
    commitment: Tensor


class ResidualQuantizer(nn.Module):
    """Vectors [B, S, dimension] <-> codes [B, S, K], int64 in [0, cardinality).

    The codes are a prefix code: depth d gives the first d of any larger depth. `codebook_dimension` quantises in a
    learned projection. `dropout` is the share of training rows that use a random depth, uniform over 1 to
    `codebooks`. Codebooks are not trained by gradients but follow the data with an exponential mean (`decay`).
    """

    def __init__(
        self,
        dimension: int,
        codebooks: int,
        cardinality: int,
        *,
        codebook_dimension: int | None = None,
        decay: float = 0.99,
        dead: float = 0.02,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if codebooks < 1 or cardinality < 2:
            raise ModelError(f"{codebooks} codebooks of {cardinality} codes: give at least 1 of at least 2")
        if not 0.0 <= dropout <= 1.0:
            raise ModelError(f"quantizer dropout {dropout}: give a share from 0 to 1")
        self.dimension = dimension
        self.codebooks = codebooks
        self.cardinality = cardinality
        self.dropout = dropout
        inner = dimension if codebook_dimension is None else codebook_dimension
        self.enter = None if codebook_dimension is None else nn.Linear(dimension, inner, bias=False)
        self.leave = None if codebook_dimension is None else nn.Linear(inner, dimension, bias=False)
        self.books = nn.ModuleList(Codebook(inner, cardinality, decay=decay, dead=dead) for _ in range(codebooks))

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Quantised:
        """Training pass. In training mode the codebooks start from, and then follow, the data of this batch.

        `generator` (CPU) draws depths, first codes and the replacements of dead codes.
        """
        inner = x if self.enter is None else self.enter(x)
        depth = self._depths(x.shape[0], generator).to(x.device)
        residual, codes, errors = inner, [], []
        for level, book in enumerate(self.books):
            used = (depth > level)[:, None].expand(x.shape[:2])
            if self.training and bool(used.any()):
                book.follow(residual.detach()[used], generator)
            code = book.nearest(residual.detach())
            answer = functional.embedding(code, book.vectors) * used[..., None]
            codes.append(torch.where(used, code, -1))
            errors.append((residual - answer).square().mean(dim=-1)[used])
            residual = residual - answer
        # inner - residual is the sum of answers; the straight-through copy gives `inner` its gradient.
        answered = inner + ((inner - residual) - inner).detach()
        latents = answered if self.leave is None else self.leave(answered)
        return Quantised(latents, torch.stack(codes, dim=-1), depth, torch.cat(errors).mean())

    def encode(self, x: Tensor, depth: int | None = None) -> Tensor:
        """The first `depth` codes of each vector, [B, S, depth]; None takes all codebooks.

        Raises ModelError for a depth outside 1 to `codebooks`.
        """
        with torch.no_grad():
            depth = self.codebooks if depth is None else depth
            if not 1 <= depth <= self.codebooks:
                raise ModelError(f"depth {depth}: give 1 to {self.codebooks}")
            residual = x if self.enter is None else self.enter(x)
            codes = []
            for book in self.books[:depth]:
                code = book.nearest(residual)
                codes.append(code)
                residual = residual - functional.embedding(code, book.vectors)
            return torch.stack(codes, dim=-1)

    def decode(self, codes: Tensor) -> Tensor:
        """Codes [B, S, K] -> vectors [B, S, dimension]; K from 1 to `codebooks` is the depth.

        Raises ModelError for another shape or type, no frame, or codes out of range.
        """
        with torch.no_grad():
            if codes.dim() != 3 or 0 in codes.shape or codes.shape[-1] > self.codebooks:
                raise ModelError(f"codes of shape {tuple(codes.shape)}: give [batch, frames, 1 to {self.codebooks}]")
            if codes.dtype != torch.int64:
                raise ModelError(f"codes of type {codes.dtype}: give int64")
            if int(codes.min()) < 0 or int(codes.max()) >= self.cardinality:
                raise ModelError(
                    f"codes from {int(codes.min())} to {int(codes.max())}: give 0 to {self.cardinality - 1}"
                )
            parts = [
                functional.embedding(codes[..., level], self.books[level].vectors) for level in range(codes.shape[-1])
            ]
            inner = torch.stack(parts).sum(dim=0)
            return inner if self.leave is None else self.leave(inner)

    def _depths(self, rows: int, generator: torch.Generator | None) -> Tensor:
        full = torch.full((rows,), self.codebooks)
        if not self.training or self.dropout == 0.0:
            return full
        shallow = torch.rand(rows, generator=generator) < self.dropout
        return torch.where(shallow, torch.randint(1, self.codebooks + 1, (rows,), generator=generator), full)
