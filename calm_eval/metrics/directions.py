"""Cosines of vectors that judges give, and the names of why there is none."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calm_eval.judges.protocol import Judgement


def cosine(first: ArrayLike, second: ArrayLike) -> float:
    """Cosine of two vectors of shape [dim], in float64, in [-1, 1]. Raises ValueError on shapes or no direction."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"two vectors of one length, got {a.shape} and {b.shape}")
    if not (_has_direction(a) and _has_direction(b)):
        raise ValueError("a vector that is zero or not finite has no direction")
    # By the largest entry first: squares of very small or large entries would vanish or overflow.
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    return float(np.clip(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)), -1.0, 1.0))


def _has_direction(vector: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(vector).all() and vector.any())


def mean_vector(judgement: Judgement) -> NDArray[np.float64] | str:
    """Mean vector of a judgement, or the name of why there is none."""
    if judgement.refused is not None:
        return judgement.refused
    if judgement.vectors is None or len(judgement.vectors) == 0:
        return "no-vector"
    mean = np.asarray(judgement.vectors, dtype=np.float64).mean(axis=0)
    return mean if _has_direction(mean) else "no-direction"
