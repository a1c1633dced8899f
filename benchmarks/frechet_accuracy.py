"""How near are both routes of the Fréchet distance to closed forms, rank-deficient sets and dead dimensions included?

A copy scaled by s about its mean and shifted by b has the distance d b^2 + (1 - s)^2 Tr(S): both covariances commute.
"""

from __future__ import annotations

import numpy as np
from bar import Bar
from numpy.typing import NDArray

from calm_eval.metrics.frechet import frechet_distance, frechet_distance_raw
from calm_eval.metrics.frechet_gaussian import gaussian_of

Array = NDArray[np.float64]

RAW, STATISTICS = 1e-8, 1e-7
SIZES = ((5000, 16), (600, 128), (40, 128), (8, 512), (2, 3), (513, 512), (3000, 2048), (1000, 2048))
"""Frames and dimensions; some have fewer frames than dimensions."""
CHANGES = ((1.5, 0.0), (0.5, 0.3), (1.01, 0.01), (4.0, -2.0))
DEAD = 0.25
"""The share of dimensions that are constant in the second half of the cases."""


def drawn(count: int, dimensions: int, dead: int) -> Array:
    """Frames [count, dimensions] whose spreads fall a thousandfold; the last `dead` dimensions are constant."""
    generator = np.random.default_rng([count, dimensions])
    frames = generator.standard_normal((count, dimensions)) * np.geomspace(1, 1e-3, dimensions)
    frames += generator.standard_normal(dimensions)
    if dead:
        frames[:, -dead:] = 0.7
    return np.asarray(frames)


def bars() -> list[Bar]:
    """The largest error of each route over all cases."""
    raw, statistics = [], []
    for count, dimensions in SIZES:
        for scale, shift in CHANGES:
            for dead in (0, round(DEAD * dimensions)):
                frames = drawn(count, dimensions, dead)
                middle = frames.mean(axis=0)
                copy = middle + scale * (frames - middle) + shift
                trace = float(frames.var(axis=0, ddof=1).sum())
                truth = dimensions * shift**2 + (1 - scale) ** 2 * trace
                raw.append(abs(frechet_distance_raw(frames, copy) - truth) / truth)
                found = frechet_distance(gaussian_of(frames), gaussian_of(copy))
                statistics.append(abs(found - truth) / (trace + scale**2 * trace))
    cases = f"largest of {len(raw)} cases up to 2048 dimensions, rank-deficient and dead ones among them"
    return [
        Bar(
            f"Fréchet, raw route against closed forms, relative error, {cases}",
            f"at most {RAW:g}",
            f"{max(raw):.1e}",
            max(raw) <= RAW,
        ),
        Bar(
            f"Fréchet, statistics route against closed forms, error over the sum of traces, {cases}",
            f"at most {STATISTICS:g}",
            f"{max(statistics):.1e}",
            max(statistics) <= STATISTICS,
        ),
    ]
