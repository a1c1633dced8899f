"""How far apart the samples of one prompt are: mean cosine distance between the embeddings of its seeds.

Temperature trades quality for it. Low values mean that a system says the same whatever the seed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray


def mean_cosine(vectors: ArrayLike) -> float:
    """Mean cosine over all pairs of different rows of [n, dim], n >= 2; in [-1 / (n - 1), 1], float64.

    From the length of the sum of the unit rows: |sum u|^2 = n + sum over i != j of u_i . u_j. Raises ValueError on
    other shapes and for a row that is zero or not finite: it has no direction.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    if rows.ndim != 2 or len(rows) < 2:
        raise ValueError(f"at least two vectors of one length, got {rows.shape}")
    units = _directions(rows)
    total = units.sum(axis=0)
    count = len(units)
    return min(1.0, float((total @ total - count) / (count * (count - 1))))


def _directions(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    largest = np.abs(rows).max(axis=1, keepdims=True)
    if not np.isfinite(largest).all() or (largest == 0).any():
        raise ValueError("a vector that is zero or not finite has no direction")
    # By the largest entry first: squares of very small or large entries would vanish or overflow.
    scaled = rows / largest
    return np.asarray(scaled / np.linalg.norm(scaled, axis=1, keepdims=True), dtype=np.float64)


def seed_spread(seeds: Mapping[int, ArrayLike]) -> float:
    """Mean of 1 - cosine over all pairs of seeds of one prompt, in [0, 2]; 0 when all seeds sound the same.

    Each seed has an embedding [frames, dim], of which the mean frame counts, or a vector [dim]. Raises ValueError with
    fewer than two seeds, unequal lengths, and for a mean frame that has no direction.
    """
    if len(seeds) < 2:
        raise ValueError(f"a spread needs at least two seeds, got {len(seeds)}")
    vectors = [_mean_frame(vector) for vector in seeds.values()]
    if len({len(vector) for vector in vectors}) > 1:
        raise ValueError(f"vectors of one length, got {sorted({len(vector) for vector in vectors})}")
    return 1.0 - mean_cosine(np.stack(vectors))


def _mean_frame(embedding: ArrayLike) -> NDArray[np.float64]:
    frames = np.asarray(embedding, dtype=np.float64)
    if frames.ndim not in (1, 2) or frames.size == 0:
        raise ValueError(f"an embedding is [frames, dim] or [dim], got {frames.shape}")
    return frames if frames.ndim == 1 else np.asarray(frames.mean(axis=0))


def seed_spreads(prompts: Mapping[str, Mapping[int, ArrayLike]]) -> dict[str, float]:
    """The spread of each prompt by id. Raises ValueError, naming the prompt, where one has none."""
    values: dict[str, float] = {}
    for name, seeds in prompts.items():
        try:
            values[name] = seed_spread(seeds)
        except ValueError as error:
            raise ValueError(f"prompt {name!r}: {error}") from error
    return values
