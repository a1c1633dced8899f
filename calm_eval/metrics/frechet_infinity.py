"""FAD-infinity: the Fréchet distance extrapolated to endless generated clips (after Chong and Forsyth 2020).

The distance of n frames is too large by about c / n. Clips are drawn WITHOUT replacement: each repeat walks the clips
in a new random order and takes the distance to the reference at growing numbers of clips; a line through the distances
over 1 / frames has the answer as its intercept. Drawn with replacement, a subset of n is a sample of the set at hand
and not of the system, and the intercept is the biased distance of the whole set.

The standard error costs one jackknife, not one for each point. Averaged over subsets, what is first order in the clips
is the same at every n, so it has the error of the distance of all clips; the rest is what repeats differ by. Both are
joined, and `benchmarks/frechet_infinity_worlds.py` counts how often that is right.

The bias of the reference side stays: its set must be large.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calm_eval.keys import seed_from
from calm_eval.metrics.frechet import frechet_distance
from calm_eval.metrics.frechet_floor import effective_frames
from calm_eval.metrics.frechet_gaussian import Accumulator, Gaussian
from calm_eval.metrics.frechet_groups import frechet_interval, group_clips
from calm_eval.stats.jackknife import deal

POINTS = 15
REPEATS = 5
FRAMES_A_DIMENSION = 5
LEAST_SHARE = 0.2
TOO_FEW_FRAMES = "n < 5d"
TOO_FEW_CLIPS = "too few clips"


@dataclass(frozen=True)
class FrechetInfinity:
    """The intercept with its standard error, or the name of why there is none in `refused`.

    `frames` and `distances` are the points of the line [points], means over repeats; `r_squared` says how well it fits.
    `error` joins the jackknife error of the distance over clips and the spread of the intercept over repeats.
    """

    value: float | None = None
    error: float | None = None
    r_squared: float | None = None
    frames: tuple[float, ...] = ()
    distances: tuple[float, ...] = ()
    refused: str | None = None


def frechet_infinity(
    clips: Mapping[str, ArrayLike],
    reference: Gaussian,
    *,
    seed: int,
    points: int = POINTS,
    repeats: int = REPEATS,
) -> FrechetInfinity:
    """Extrapolate over clips by id, each [F, d], read anew `repeats` + 1 times (memory-mapped arrays do).

    From max(5 d, a fifth of all) to all, `points` numbers of clips, evenly spaced. Those 5 d are effective frames
    (`effective_frames`, for the covariance): with 5 d frames that are alike the bias is no line in 1 / n yet. The order
    of the mapping does not matter. Refused by name: `n < 5d` with fewer effective frames than that, `too few clips`
    where so many numbers of clips do not lie between, or for a single clip. Raises ValueError as `group_clips`, as
    `frechet_distance`, and for fewer than 3 points or 2 repeats.
    """
    if points < 3 or repeats < 2:
        raise ValueError(f"at least 3 points and 2 repeats, got {points} and {repeats}")
    names = sorted(clips)
    groups = group_clips(((name, clips[name]) for name in names), deal(names))
    effective = effective_frames(groups)
    if effective is None:
        return FrechetInfinity(refused=TOO_FEW_CLIPS)
    least = FRAMES_A_DIMENSION * reference.dimensions / effective.for_covariance
    if least > 1:
        return FrechetInfinity(refused=TOO_FEW_FRAMES)
    first = math.ceil(max(least, LEAST_SHARE) * len(names))
    counts = np.unique(np.round(np.linspace(first, len(names), points)).astype(int))
    if len(counts) < points:
        return FrechetInfinity(refused=TOO_FEW_CLIPS)
    whole = frechet_interval(groups, reference)
    if whole is None:
        return FrechetInfinity(refused=TOO_FEW_CLIPS)
    walks = [_walk(clips, _order(names, seed, repeat), counts[:-1], reference) for repeat in range(repeats)]
    frames = np.column_stack([np.array([walk[0] for walk in walks]), np.full(repeats, float(effective.frames))])
    distances = np.column_stack([np.array([walk[1] for walk in walks]), np.full(repeats, whole.value)])
    by_repeat = [line(1 / used, found)[0] for used, found in zip(frames, distances, strict=True)]
    across = (1 / frames).mean(axis=0)
    value, r_squared = line(across, distances.mean(axis=0))
    error = math.hypot(whole.error, float(np.std(by_repeat, ddof=1)) / math.sqrt(repeats))
    return FrechetInfinity(value, error, r_squared, tuple(1 / across), tuple(distances.mean(axis=0)))


def line(across: NDArray[np.float64], up: NDArray[np.float64]) -> tuple[float, float]:
    """Intercept and R^2 of the least-squares line through points [n]; R^2 is 1 where nothing varies."""
    from_mean = across - across.mean()
    slope = float(from_mean @ up) / float(from_mean @ from_mean)
    intercept = float(up.mean() - slope * across.mean())
    spread = float(((up - up.mean()) ** 2).sum())
    left = float(((up - intercept - slope * across) ** 2).sum())
    return intercept, 1 - left / spread if spread > 0 else 1.0


def _order(names: list[str], seed: int, repeat: int) -> list[str]:
    generator = np.random.default_rng(seed_from("frechet-infinity", seed, repeat))
    return [names[place] for place in generator.permutation(len(names))]


def _walk(
    clips: Mapping[str, ArrayLike], order: list[str], counts: NDArray[np.int_], reference: Gaussian
) -> tuple[list[float], list[float]]:
    """Frames and distance at each number of clips, one walk through the order."""
    frames: list[float] = []
    distances: list[float] = []
    sums = Accumulator()
    stops = set(counts.tolist())
    for place, name in enumerate(order[: int(counts[-1])], start=1):
        sums.add(clips[name])
        if place in stops:
            found = sums.moments().gaussian()
            frames.append(float(found.count))
            distances.append(frechet_distance(found, reference))
    return frames, distances
