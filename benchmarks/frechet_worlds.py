"""Worlds whose Fréchet distance is known: real Gaussians, and clips of frames that are alike.

The Gaussians are those of 4,839 pop tracks under VGGish and EnCodec (`fma_pop.npz` of the fadtk 1.1.0 wheel): the file
that `CALM_EVAL_FMA_POP` names, or the asset `fadtk-gaussians`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calm_eval.metrics.frechet import frechet_distance
from calm_eval.metrics.frechet_gaussian import Gaussian

Array = NDArray[np.float64]

VARIABLE = "CALM_EVAL_FMA_POP"
MANY = 1_000_000
"""The count of a Gaussian that stands for the truth; no distance depends on it."""


def real_gaussian(model: str) -> Gaussian:
    """Mean and covariance of one embedder in `fma_pop.npz`."""
    told = os.environ.get(VARIABLE)
    if told is None:
        from calm_eval.assets import fetch

        path = fetch("fadtk-gaussians") / "fma_pop.npz"
    else:
        path = Path(told)
    with np.load(path) as arrays:
        return Gaussian(MANY, arrays[f"{model}.mu"], arrays[f"{model}.cov"])


@dataclass(frozen=True)
class World:
    """A system and a reference distribution, both Gaussian, and how its clips are made.

    Frames of a clip are `correlation` alike: each is a draw of the clip and a draw of its own. `lengths` draws frames
    a clip.
    """

    title: str
    system: Gaussian
    reference: Gaussian
    correlation: float
    lengths: Callable[[np.random.Generator, int], NDArray[np.int64]]

    @property
    def truth(self) -> float:
        """The distance of the two distributions."""
        return frechet_distance(self.system, self.reference)

    def clips(self, generator: np.random.Generator, count: int, *, of_reference: bool = False) -> dict[str, Array]:
        """Frames of `count` clips by id, float64 [F, d], of the system or of the reference."""
        about = self.reference if of_reference else self.system
        factor = np.linalg.cholesky(about.covariance).T
        found = {}
        for number, length in enumerate(self.lengths(generator, count)):
            shared = generator.standard_normal(about.dimensions)
            own = generator.standard_normal((length, about.dimensions))
            mixed = self.correlation**0.5 * shared + (1 - self.correlation) ** 0.5 * own
            found[f"clip-{number}"] = about.mean + mixed @ factor
        return found


def same_length(frames: int) -> Callable[[np.random.Generator, int], NDArray[np.int64]]:
    """Clips of one length."""
    return lambda _, count: np.full(count, frames)


def lengths_between(low: int, high: int) -> Callable[[np.random.Generator, int], NDArray[np.int64]]:
    """Clips of lengths drawn evenly."""
    return lambda generator, count: generator.integers(low, high + 1, count)


def other(about: Gaussian, scale: float, shift: float, turn: float = 0.0) -> Gaussian:
    """Another Gaussian: scaled, moved along the first direction, and turned towards another basis by `turn`.

    `scale` multiplies deviations and `shift` counts standard deviations of the first direction.
    """
    values, vectors = np.linalg.eigh(about.covariance)
    covariance = about.covariance
    if turn > 0:
        skew = np.random.default_rng(5).standard_normal(covariance.shape)
        skew = turn * (skew - skew.T) / np.sqrt(8 * len(values))
        # Cayley's map of a skew matrix is a rotation.
        one = np.eye(len(values))
        rotation = np.linalg.solve(one + skew, one - skew)
        covariance = rotation @ covariance @ rotation.T
        covariance = (covariance + covariance.T) / 2
    return Gaussian(MANY, about.mean + shift * values[-1] ** 0.5 * vectors[:, -1], scale**2 * covariance)
