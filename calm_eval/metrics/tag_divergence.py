"""Kullback-Leibler divergence between the tags of a generated clip and of its reference; arithmetic only.

The default is KL(reference || generated) in nats. A tagger answers window by window; what is one clip's distribution
is decided here, and it decides the number: mean of logits, mean of probabilities and one divergence a segment differ
several-fold on the same answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

FLOOR = 1e-6
"""Probabilities are brought into [FLOOR, 1 - FLOOR] on both sides alike: what comes out is still a divergence."""

T = TypeVar("T")


def pair_by_id(reference: Mapping[str, T], generated: Mapping[str, T]) -> list[tuple[str, T, T]]:
    """(id, reference, generated) sorted by id. Raises ValueError naming the ids that only one side has, or for none."""
    alone = [("reference", set(reference) - set(generated)), ("generated", set(generated) - set(reference))]
    told = [f"only in {side}: {_listed(ids)}" for side, ids in alone if ids]
    if told:
        raise ValueError(f"pairs need the same ids on both sides; {'; '.join(told)}")
    if not reference:
        raise ValueError("there is no pair")
    return [(name, reference[name], generated[name]) for name in sorted(reference)]


def _listed(ids: set[str], most: int = 10) -> str:
    shown = ", ".join(repr(name) for name in sorted(ids)[:most])
    return shown if len(ids) <= most else f"{shown} and {len(ids) - most} more"


def bernoulli_divergence(reference: ArrayLike, generated: ArrayLike, *, floor: float = FLOOR) -> float:
    """Sum over tags of KL(Bernoulli(p) || Bernoulli(q)) in nats, for multi-label (sigmoid) taggers.

    Probabilities [windows, tags] of each side, any number of windows; p and q [tags] are their means over windows.
    At least 0, and 0 only for equal p and q (above the floor). The terms of absent tags, (1 - p) log((1 - p) /
    (1 - q)), are counted: without them the sum is no divergence and can be negative. Raises ValueError on other shapes
    and on values outside [0, 1].
    """
    p, q = (np.clip(one, floor, 1.0 - floor) for one in _means(reference, generated, floor))
    return max(0.0, float(_terms(p, q).sum() + _terms(1.0 - p, 1.0 - q).sum()))


def categorical_divergence(reference: ArrayLike, generated: ArrayLike, *, floor: float = FLOOR) -> float:
    """KL in nats of mean probabilities brought to sum 1; at least 0. Input and errors as `bernoulli_divergence`.

    For sigmoid tags it compares the mix of tags and not how sure the tagger is of any of them.
    """
    p, q = (np.maximum(one, floor) for one in _means(reference, generated, floor))
    return max(0.0, float(_terms(p / p.sum(), q / q.sum()).sum()))


def _means(reference: ArrayLike, generated: ArrayLike, floor: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if not 0.0 < floor < 0.5:
        raise ValueError(f"a floor inside (0, 0.5), got {floor}")
    first, second = _windows(reference, generated)
    for side, values in (("reference", first), ("generated", second)):
        if values.min() < 0.0 or values.max() > 1.0:
            raise ValueError(f"{side}: probabilities lie in [0, 1], got {values.min():g} to {values.max():g}")
    return first.mean(axis=0), second.mean(axis=0)


def _windows(reference: ArrayLike, generated: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = np.asarray(reference, dtype=np.float64), np.asarray(generated, dtype=np.float64)
    for side, values in (("reference", first), ("generated", second)):
        if values.ndim != 2 or values.size == 0:
            raise ValueError(f"{side}: [windows, tags] with at least one of each is wanted, got {values.shape}")
        if not np.isfinite(values).all():
            raise ValueError(f"{side}: the tagger's answers hold NaN or infinity")
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"one set of tags for both sides, got {first.shape[1]} and {second.shape[1]}")
    return first, second


def _terms(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """p log(p / q), both above 0."""
    return np.asarray(p * (np.log(p) - np.log(q)), dtype=np.float64)


@dataclass(frozen=True)
class LogitPreset:
    """How a tool turns logits [windows, classes] into a divergence.

    `direction` is `reference||generated` or the other way. `pooling`: `one_window` takes a clip that is one window,
    `segments` compares window i with window i, `mean_logits` and `max_logits` pool before the softmax,
    `mean_probabilities` after. `epsilon` is added to the second distribution inside the logarithm only, as the tools
    do: the sum is then no exact divergence, and equal distributions give about -classes * epsilon. `form` sigmoid takes
    each class by itself, without the terms of its absence: the sum is no divergence and can be negative.
    """

    name: str
    direction: Literal["reference||generated", "generated||reference"]
    pooling: Literal["one_window", "segments", "mean_logits", "max_logits", "mean_probabilities"]
    epsilon: float
    form: Literal["softmax", "sigmoid"] = "softmax"


PRESETS: Mapping[str, LogitPreset] = {
    preset.name: preset
    for preset in (
        LogitPreset("exact", "reference||generated", "mean_probabilities", 0.0),
        LogitPreset("audiocraft", "reference||generated", "segments", 1e-6),
        LogitPreset("audioldm", "reference||generated", "one_window", 1e-6),
        LogitPreset("audioldm-sigmoid", "reference||generated", "one_window", 1e-6, "sigmoid"),
        LogitPreset("sam", "generated||reference", "mean_logits", 1e-6),
        LogitPreset("sam-max", "generated||reference", "max_logits", 1e-6),
    )
}
"""`exact` is this project's own. `audiocraft`: audiocraft/metrics/kld.py, `kld`. `audioldm` and `audioldm-sigmoid`: the
two branches of audioldm_eval/metrics/kl.py. `sam`: stable-audio-metrics/src/passt_kld.py, `collect` mean or max. They
say what is done with logits; a tool's number also needs its classifier, windows and level."""


def logit_divergence(reference: ArrayLike, generated: ArrayLike, preset: LogitPreset) -> tuple[float, int]:
    """Sum of the divergences (nats) of one pair of clips, and how many there are: segments, or 1.

    audiocraft's number is the sum over all clips by the count over all clips, so that long clips weigh more. Logits are
    [windows, classes]. Raises ValueError on other shapes, NaN, infinity, for `segments` on unequal windows and for
    `one_window` on several.
    """
    first, second = _windows(reference, generated)
    if preset.pooling == "segments" and len(first) != len(second):
        raise ValueError(f"segments are compared one by one, got {len(first)} and {len(second)} windows")
    if preset.pooling == "one_window" and (len(first), len(second)) != (1, 1):
        raise ValueError(f"preset {preset.name!r} hears a clip as one window, got {len(first)} and {len(second)}")
    p, q = (
        (_pooled(first, preset.pooling), _pooled(second, preset.pooling))
        if preset.form == "softmax"
        else (-np.logaddexp(0.0, -first), -np.logaddexp(0.0, -second))
    )
    if preset.direction == "generated||reference":
        p, q = q, p
    log_q = q if preset.epsilon == 0 else np.log(np.exp(q) + preset.epsilon)
    return float((np.exp(p) * (p - log_q)).sum()), len(p)


def _pooled(logits: NDArray[np.float64], pooling: str) -> NDArray[np.float64]:
    """Logarithms of class probabilities, one row for each distribution that is compared."""
    if pooling == "mean_logits":
        logits = logits.mean(axis=0, keepdims=True)
    elif pooling == "max_logits":
        logits = logits.max(axis=0, keepdims=True)
    highest = logits.max(axis=1, keepdims=True)
    logs = logits - highest - np.log(np.exp(logits - highest).sum(axis=1, keepdims=True))
    if pooling == "mean_probabilities":
        top = logs.max(axis=0, keepdims=True)
        logs = top + np.log(np.exp(logs - top).mean(axis=0, keepdims=True))
    return np.asarray(logs, dtype=np.float64)
