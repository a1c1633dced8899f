"""The Fréchet distance that two samples of one distribution have from each other: what no system can fall below.

With frames that are independent, N and M of them, and eigenvalues l of the covariance, to first order in 1/N and 1/M

    (1/N + 1/M) [ sum_i l_i + 1/2 sum_ij l_i l_j (1 + [i = j]) / (l_i + l_j) ]

The first sum is the error of the means, the second that of the covariances (second-order expansion of the distance
around equal Gaussians, entries of a sample covariance having the variance l_i l_j (1 + [i = j]) / N). Frames of one
clip are alike, so N and M are effective numbers (Kish 1965, "Survey Sampling", section 5.4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calm_eval.metrics.frechet_gaussian import Gaussian
from calm_eval.metrics.frechet_groups import GroupedClips


@dataclass(frozen=True)
class EffectiveFrames:
    """How many independent frames a set is worth.

    `correlation` (rho, 0 to 1) is that of two frames of a clip, over all dimensions weighted by their variance.
    `for_mean` is frames / (1 + (F - 1) rho) for clips of F frames: what the mean rests on. `for_covariance` has rho
    squared in place of rho, because products of two Gaussians correlate with the square.
    """

    frames: int
    correlation: float
    for_mean: float
    for_covariance: float


def effective_frames(clips: GroupedClips) -> EffectiveFrames | None:
    """Effective numbers from a one-way analysis of variance with unequal clips; None for a single clip.

    With clips of n_k frames, F - 1 stands for sum n_k^2 / sum n_k - 1. Where every clip has one frame there is nothing
    to correlate, and rho is 0.
    """
    lengths = np.asarray(clips.lengths, dtype=np.float64)
    count, frames = len(lengths), float(lengths.sum())
    if count < 2:
        return None
    rho = intra_clip_correlation(lengths, float(np.trace(clips.moments().scatter)), clips.within)
    others = float((lengths**2).sum()) / frames - 1
    return EffectiveFrames(int(frames), rho, frames / (1 + others * rho), frames / (1 + others * rho**2))


def intra_clip_correlation(lengths: ArrayLike, total: float, within: float) -> float:
    """rho in [0, 1] by the ANOVA estimator, negative estimates being 0.

    `lengths` are frames of each clip, `total` and `within` sums of squared deviations from the mean of all and of the
    own clip, over all dimensions (which weighs each by its variance).
    """
    sizes = np.asarray(lengths, dtype=np.float64)
    count, frames = len(sizes), float(sizes.sum())
    if frames <= count or total <= 0:
        return 0.0
    inside = within / (frames - count)
    typical = (frames - float((sizes**2).sum()) / frames) / (count - 1)
    between = ((total - within) / (count - 1) - inside) / typical
    return max(0.0, between) / (max(0.0, between) + inside) if inside > 0 else 1.0


def noise_floor(
    same: Gaussian, generated: EffectiveFrames | float, reference: EffectiveFrames | float = float("inf")
) -> float:
    """Expected distance of two samples of the distribution `same` (take the reference), by effective frames.

    A plain number counts independent frames; an infinite one is a set that is the truth itself. To first order: with
    fewer effective frames than dimensions the true floor is lower. Raises ValueError for a number that is not positive.
    """
    for_mean = _share(generated, "for_mean") + _share(reference, "for_mean")
    for_covariance = _share(generated, "for_covariance") + _share(reference, "for_covariance")
    means, covariances = floor_parts(np.linalg.eigvalsh(same.covariance))
    return for_mean * means + for_covariance * covariances


def floor_parts(eigenvalues: ArrayLike) -> tuple[float, float]:
    """What the means and what the covariances add to the floor, each times the number of frames."""
    values = np.maximum(np.asarray(eigenvalues, dtype=np.float64), 0.0)
    sums = values[:, None] + values[None, :]
    products = values[:, None] * values[None, :] * (1 + np.eye(len(values)))
    shares = np.divide(products, sums, out=np.zeros_like(sums), where=sums > 0)
    return float(values.sum()), float(shares.sum()) / 2


def _share(frames: EffectiveFrames | float, name: str) -> float:
    count = float(getattr(frames, name)) if isinstance(frames, EffectiveFrames) else float(frames)
    if not count > 0:
        raise ValueError(f"a number of frames is positive, got {count}")
    return 1 / count
