"""Which clips make a Fréchet distance large: what it would be without each, to first order, exactly for the worst.

The derivative of the distance after the generated mean is 2 (mean - mean_r), and after the generated covariance S it is
I - T with T = S_r^(1/2) (S_r^(1/2) S S_r^(1/2))^(-1/2) S_r^(1/2), the optimal map from the one Gaussian to the other
(Takatsu 2011, "Wasserstein geometry of Gaussian measures").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calm_eval.metrics.frechet import covariance_factor, frechet_distance
from calm_eval.metrics.frechet_gaussian import Gaussian, Moments, checked_frames, moments_of

Array = NDArray[np.float64]

WORST = 10


@dataclass(frozen=True)
class ClipInfluence:
    """How much the distance changes when a clip is dropped: below 0, the clip made it worse.

    `first_order` follows the slope; `exact` is computed anew, for the worst clips only. The slope misleads where a clip
    is a large part of the set and where frames are no more than dimensions.
    """

    clip: str
    frames: int
    first_order: float
    exact: float | None = None


def clip_influences(
    clips: Iterable[tuple[str, ArrayLike]],
    generated: Moments,
    reference: Gaussian,
    *,
    worst: int = WORST,
) -> list[ClipInfluence]:
    """Influence of each clip (id, frames [F, d]) of the generated set, worst first; `worst` of them checked exactly.

    `generated` are the moments of all the clips (`GroupedClips.moments()`). The checked clips come first, ordered by
    their exact change. A clip without which fewer than two frames are left is not listed. Raises ValueError, naming the
    clip, for embeddings that are not [F, d], F >= 1, finite.
    """
    whole = generated.gaussian()
    slope = np.eye(whole.dimensions) - transport(whole, reference)
    along = float((slope * generated.scatter).sum())
    found: list[ClipInfluence] = []
    candidates: list[tuple[float, str, Array]] = []
    for name, told in clips:
        frames = _exact_frames(name, told, whole.dimensions)
        left = generated.count - len(frames)
        if left < 2:
            continue
        change = _first_order(frames, left, generated, reference, slope, along)
        found.append(ClipInfluence(name, len(frames), change))
        candidates = sorted([*candidates, (change, name, frames)], key=lambda entry: entry[:2])[:worst]
    now = frechet_distance(whole, reference)
    exact = {
        name: frechet_distance(generated.without(moments_of(frames)).gaussian(), reference) - now
        for _, name, frames in candidates
    }
    checked = [replace(one, exact=exact[one.clip]) for one in found if one.clip in exact]
    checked.sort(key=lambda one: (exact[one.clip], one.clip))
    rest = sorted((one for one in found if one.clip not in exact), key=lambda one: (one.first_order, one.clip))
    return [*checked, *rest]


def transport(source: Gaussian, target: Gaussian) -> Array:
    """T [d, d], symmetric, with T S_source T = S_target where both have full rank; else on what they share."""
    outer, inner = covariance_factor(target.covariance), covariance_factor(source.covariance)
    if 0 in (outer.shape[1], inner.shape[1]):
        return np.zeros((source.dimensions, source.dimensions))
    left, values, _ = np.linalg.svd(outer.T @ inner, full_matrices=False)
    kept = values > len(values) * float(np.finfo(np.float64).eps) * values[0]
    turned = outer @ left[:, kept]
    return np.asarray((turned / values[kept]) @ turned.T)


def _exact_frames(name: str, told: ArrayLike, dimensions: int) -> Array:
    try:
        frames = np.array(checked_frames(told), dtype=np.float64)
        if len(frames) == 0 or frames.shape[1] != dimensions or not np.isfinite(frames).all():
            raise ValueError(f"finite frames [F, {dimensions}], F at least 1, are wanted, got shape {frames.shape}")
    except ValueError as error:
        raise ValueError(f"clip '{name}': {error}") from error
    return frames


def _first_order(
    frames: Array, left: int, generated: Moments, reference: Gaussian, slope: Array, along: float
) -> float:
    """The change along the slope when `left` frames stay; its part from the means is exact."""
    mean = frames.mean(axis=0)
    away, inside = mean - generated.mean, frames - mean
    shift = -away * (len(frames) / left)
    means = float(shift @ (2 * (generated.mean - reference.mean) + shift))
    lost = float(((inside @ slope) * inside).sum())
    lost += float(away @ slope @ away) * (len(frames) * generated.count / left)
    return means + (along - lost) / (left - 1) - along / (generated.count - 1)
