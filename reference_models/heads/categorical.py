"""Codes and logits: one draw from a row of logits, classifier-free guidance on logits, and the loss of a frame."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name that every reader knows

from reference_models.errors import ModelError
from reference_models.heads.protocol import Sampling
from reference_models.noise import Noise


def draw(logits: Tensor, sampling: Sampling, uniform: Tensor) -> Tensor:
    """One code for each row: logits [N, V] (any float type), uniform [N] in [0, 1), to codes [N] (int64).

    The inverse of the cumulative distribution, in float32, at the row's own uniform number: the same number and
    logits give the same code whatever the batch. A code of probability 0 is never drawn. Temperature 0 takes the
    likeliest code; `top_k` at or above V keeps all. Raises ModelError on a negative or infinite temperature and on a
    negative top_k.
    """
    check_discrete(sampling)
    if sampling.temperature == 0:
        return logits.argmax(dim=-1)
    values = logits.float()
    kept: Tensor | None = None
    if 0 < sampling.top_k < values.shape[-1]:
        values, kept = values.topk(sampling.top_k, dim=-1)
    # The largest is taken off before the division: a tiny temperature must not make infinities that cancel.
    scaled = (values - values.amax(dim=-1, keepdim=True)) / sampling.temperature
    cumulative = scaled.softmax(dim=-1).cumsum(dim=-1)
    place = torch.searchsorted(cumulative, uniform.to(cumulative)[:, None].contiguous(), right=True)
    # The sum may stop a little below 1, and the number may round up to it: then the last code that can be drawn.
    place = torch.minimum(place, torch.searchsorted(cumulative, cumulative[:, -1:].contiguous()))
    return (place if kept is None else kept.gather(-1, place))[:, 0]


def guided_logits(conditional: Tensor, null: Tensor | None, weight: float) -> Tensor:
    """Classifier-free guidance on logits, in float32: `null + weight * (conditional - null)`.

    Any equal shapes; without `null`, `conditional` itself.
    """
    if null is None:
        return conditional
    base = null.float()
    return base + weight * (conditional.float() - base)


def code_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of each frame in nats: logits [N, K, V], codes [N, K] (int64, negative: not counted), to [N].

    The sum over the counted codes divided by K: every counted code weighs the same, and a frame in which nothing
    counts has loss 0. Raises ModelError when the shapes differ or a code is V or more.
    """
    return code_losses(logits, target).sum(dim=1) / target.shape[1]


def code_losses(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of each code, [N, K], 0 where it is not counted. Arguments and errors as `code_loss`."""
    check_codes(target, logits.shape[1], logits.shape[2])
    each = F.cross_entropy(logits.float().flatten(0, 1), target.clamp(min=0).flatten(), reduction="none")
    return torch.where(target >= 0, each.view_as(target), 0.0)


def check_codes(codes: Tensor, codebooks: int, cardinality: int) -> None:
    """Refuse codes that are not [N, codebooks] of integers below `cardinality` (negative ones may stand for none)."""
    if codes.dim() != 2 or codes.shape[1] != codebooks or codes.is_floating_point():
        raise ModelError(
            f"codes must be integers of shape [N, {codebooks}], not {codes.dtype} of shape {list(codes.shape)}"
        )
    if codes.numel() and int(codes.max()) >= cardinality:
        raise ModelError(f"code {int(codes.max())} is out of range: each codebook has {cardinality} codes")


def check_discrete(sampling: Sampling, codebooks: int | None = None) -> None:
    """Refuse a sampling that no discrete head can follow: temperature, top_k and, given `codebooks`, depth."""
    if not 0 <= sampling.temperature < math.inf:
        raise ModelError(f"temperature must be finite and at least 0, not {sampling.temperature}")
    if sampling.top_k < 0:
        raise ModelError(f"top_k must be at least 0 (0 keeps all codes), not {sampling.top_k}")
    if codebooks is not None and not 0 <= sampling.depth <= codebooks:
        raise ModelError(f"depth must be from 0 (all) to the {codebooks} codebooks, not {sampling.depth}")


def check_request(z: Tensor, sampling: Sampling, noise: Noise, null: Tensor | None, codebooks: int) -> None:
    """Refuse what a discrete head cannot sample, before it computes anything.

    Besides `check_discrete`: noise for another number of rows (it would be shared in silence), guidance without a
    null Z or a null Z without guidance, and a null Z of another shape than Z [N, condition].
    """
    check_discrete(sampling, codebooks)
    if len(noise) != z.shape[0]:
        raise ModelError(f"noise for {len(noise)} rows does not fit {z.shape[0]} rows of Z")
    if not math.isfinite(sampling.cfg):
        raise ModelError(f"cfg must be finite, not {sampling.cfg}")
    if (null is not None) != (sampling.cfg != 1):
        given = "no null Z" if null is None else "a null Z"
        raise ModelError(f"cfg {sampling.cfg} with {given}: give the null Z exactly when cfg is not 1")
    if null is not None and null.shape != z.shape:
        raise ModelError(f"null Z has shape {list(null.shape)}, Z has {list(z.shape)}: they must be equal")
