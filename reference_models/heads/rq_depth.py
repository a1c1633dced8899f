"""The depth transformer of the RQ-Transformer: the codes of one frame, one after another, given Z (Moshi).

All weights belong to one codebook each and are stored stacked: training runs all codebooks in batched products,
sampling walks down the stack.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that every reader knows

from reference_models.errors import ModelError
from reference_models.heads.categorical import check_codes, check_request, code_loss, draw, guided_logits
from reference_models.heads.protocol import Sampling
from reference_models.noise import Noise

Activation = Literal["gelu", "swiglu"]
EPS = 1e-5


class DepthTransformer(nn.Module):
    """Codebook k sees Z through its own projection, plus the embedding of the frame's code k - 1, and what came before.

    Causal over depth; the context is the frame and there are no positions (each depth has its own weights). RMSNorm,
    no biases. `feedforward` is the hidden width, of each of the two branches with "swiglu". Published sizes (Moshi):
    6 layers, dim 1024, 16 heads, gated with hidden width 2816 (two thirds of 4.125 * 1024), weights per codebook. That
    the norms inside the layers have weights per codebook too is our choice.

    Raises ModelError on a size below 1, heads that do not divide `dim`, or an unknown activation.
    """

    def __init__(
        self,
        condition: int,
        codebooks: int,
        cardinality: int,
        dim: int,
        layers: int,
        heads: int,
        feedforward: int,
        activation: Activation = "swiglu",
    ) -> None:
        super().__init__()
        if min(condition, codebooks, cardinality, dim, layers, heads, feedforward) < 1 or dim % heads:
            raise ModelError("all sizes of a depth transformer must be at least 1, and heads must divide dim")
        if activation not in ("gelu", "swiglu"):
            raise ModelError(f"activation must be gelu or swiglu, not {activation}")
        self.codebooks, self.cardinality, self.dim = codebooks, cardinality, dim
        self.inward = stacked(codebooks, dim, condition)
        # As large as the projection of a normalised Z; the last codebook's code is nobody's input.
        self.embeddings = nn.Parameter(torch.randn(codebooks - 1, cardinality, dim))
        self.layers = nn.ModuleList(
            DepthLayer(codebooks, dim, heads, feedforward, activation == "swiglu") for _ in range(layers)
        )
        self.norm = nn.Parameter(torch.ones(codebooks, dim))
        self.outward = stacked(codebooks, cardinality, dim)

    def logits(self, z: Tensor, codes: Tensor, first: Tensor | None = None) -> Tensor:
        """Teacher-forced logits [N, codebooks, cardinality] of Z [N, condition] and codes [N, codebooks].

        A negative code adds nothing to the input of the next codebook. `first` [N, dim] is added to the input of
        codebook 0 (a text token's embedding, say). Raises ModelError when the codes do not fit.
        """
        check_codes(codes, self.codebooks, self.cardinality)
        inputs = self.project(z, self.codebooks, first)
        before = codes[:, :-1].t()  # [K - 1, N]
        offsets = torch.arange(self.codebooks - 1, device=codes.device)[:, None] * self.cardinality
        found = F.embedding(before.clamp(min=0) + offsets, self.embeddings.flatten(0, 1))
        x = inputs + F.pad(found * (before >= 0)[..., None], (0, 0, 0, 0, 1, 0))
        for layer in self.layers:
            x = layer(x)
        return torch.bmm(rms(x, self.norm), self.outward.transpose(1, 2)).transpose(0, 1)

    def project(self, z: Tensor, depth: int, first: Tensor | None) -> Tensor:
        """What Z (and `first`) put into the first `depth` codebooks: [depth, N, dim], in one product."""
        parts = F.linear(z, self.inward[:depth].flatten(0, 1)).view(z.shape[0], depth, self.dim).transpose(0, 1)
        return parts if first is None else torch.cat([parts[:1] + first, parts[1:]])

    def loss(
        self, z: Tensor, target: Tensor, generator: torch.Generator | None = None, first: Tensor | None = None
    ) -> Tensor:
        """Cross-entropy of each frame, [N], as `code_loss`; nothing is random. `target` [N, codebooks].

        Raises ModelError when the codes do not fit.
        """
        return code_loss(self.logits(z, target, first), target)

    def sample(
        self, z: Tensor, sampling: Sampling, noise: Noise, null: Tensor | None = None, first: Tensor | None = None
    ) -> Tensor:
        """Codes [N, d], d being `sampling.depth` where that is given and all codebooks where it is 0.

        Guidance is on the logits: both conditions run as one batch and see the same drawn codes. Raises ModelError on
        a sampling or a null Z that does not fit.
        """
        check_request(z, sampling, noise, null, self.codebooks)
        rows, depth = z.shape[0], sampling.depth or self.codebooks
        doubled = null is not None
        with torch.no_grad():
            uniform = noise.uniform(depth)
            if null is not None:
                z, first = torch.cat([z, null]), None if first is None else torch.cat([first, first])
            steps = DepthSteps(self, z, depth, first)
            codes: list[Tensor] = []
            for k in range(depth):
                before = codes[-1] if codes else None
                logits = steps.logits(before if before is None or not doubled else before.repeat(2))
                logits = guided_logits(logits[:rows], logits[rows:] if doubled else None, sampling.cfg)
                codes.append(draw(logits, sampling, uniform[:, k]))
        return torch.stack(codes, dim=1)

    def evaluations(self, sampling: Sampling) -> int:
        """One run of the depth transformer for each codebook drawn."""
        return sampling.depth or self.codebooks


class DepthLayer(nn.Module):
    """Attention and feed-forward with weights [codebooks, outputs, inputs], norms before them, residuals around."""

    def __init__(self, codebooks: int, dim: int, heads: int, feedforward: int, gated: bool) -> None:
        super().__init__()
        self.heads, self.gated = heads, gated
        self.attention_norm = nn.Parameter(torch.ones(codebooks, dim))
        self.qkv = stacked(codebooks, 3 * dim, dim)
        self.out = stacked(codebooks, dim, dim)
        self.feedforward_norm = nn.Parameter(torch.ones(codebooks, dim))
        self.up = stacked(codebooks, 2 * feedforward if gated else feedforward, dim)
        self.down = stacked(codebooks, dim, feedforward)

    def forward(self, x: Tensor) -> Tensor:
        """All codebooks at once: [codebooks, N, dim] to the same shape."""
        depth, rows, dim = x.shape
        fused = torch.bmm(rms(x, self.attention_norm), self.qkv.transpose(1, 2))
        query, key, value = fused.view(depth, rows, 3, self.heads, dim // self.heads).permute(2, 1, 3, 0, 4)
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)  # [N, heads, codebooks, dim / heads]
        x = x + torch.bmm(mixed.permute(2, 0, 1, 3).flatten(2), self.out.transpose(1, 2))
        hidden = torch.bmm(rms(x, self.feedforward_norm), self.up.transpose(1, 2))
        return x + torch.bmm(self.activate(hidden), self.down.transpose(1, 2))

    def step(self, x: Tensor, k: int, cache: Tensor) -> Tensor:
        """Codebook k alone, [N, dim]; its key and value go into the cache [N, 2, heads, depth, dim / heads]."""
        rows, dim = x.shape
        fused = F.linear(F.rms_norm(x, (dim,), self.attention_norm[k], EPS), self.qkv[k])
        fused = fused.view(rows, 3, self.heads, dim // self.heads)
        cache[:, :, :, k] = fused[:, 1:]
        keys, values = cache[:, :, :, : k + 1].unbind(1)
        mixed = F.scaled_dot_product_attention(fused[:, 0, :, None], keys, values)
        x = x + F.linear(mixed.reshape(rows, dim), self.out[k])
        hidden = F.linear(F.rms_norm(x, (dim,), self.feedforward_norm[k], EPS), self.up[k])
        return x + F.linear(self.activate(hidden), self.down[k])

    def activate(self, hidden: Tensor) -> Tensor:
        """SiLU of the first half times the second when gated, otherwise GELU."""
        if not self.gated:
            return F.gelu(hidden, approximate="tanh")
        gate, value = hidden.chunk(2, dim=-1)
        return F.silu(gate) * value


class DepthSteps:
    """One frame drawn code by code, with the keys and values of the codebooks before."""

    def __init__(self, head: DepthTransformer, z: Tensor, depth: int, first: Tensor | None = None) -> None:
        """Z [N, condition], the number of codebooks to come, and `first` as in `DepthTransformer.logits`."""
        self.head, self.position = head, 0
        self._inputs = head.project(z, depth, first).unbind(0)
        heads = head.layers[0].heads
        self._caches = z.new_empty(len(head.layers), z.shape[0], 2, heads, depth, head.dim // heads).unbind(0)

    def logits(self, previous: Tensor | None = None) -> Tensor:
        """Logits [N, cardinality] of the next codebook; `previous` [N] is the code before, None for codebook 0."""
        k, head = self.position, self.head
        x = self._inputs[k]
        if previous is not None:
            x = x + F.embedding(previous, head.embeddings[k - 1])
        for layer, cache in zip(head.layers, self._caches, strict=True):
            x = layer.step(x, k, cache)
        self.position = k + 1
        return F.linear(F.rms_norm(x, (head.dim,), head.norm[k], EPS), head.outward[k])


def stacked(codebooks: int, outputs: int, inputs: int) -> nn.Parameter:
    """One matrix [outputs, inputs] for each codebook, normal with std 1 / sqrt(inputs)."""
    weight = nn.Parameter(torch.empty(codebooks, outputs, inputs))
    nn.init.normal_(weight, std=inputs**-0.5)
    return weight


def rms(x: Tensor, weight: Tensor) -> Tensor:
    """RMSNorm of x [codebooks, N, dim] with a weight [codebooks, dim] of its own for each codebook."""
    return F.rms_norm(x, (x.shape[-1],), None, EPS) * weight[:, None]
