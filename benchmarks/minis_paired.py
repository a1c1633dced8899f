"""Tests over items: does each generated sound belong to its own truth, and is a share above chance? Pure functions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def own_and_others(distances: Array, groups: list[str]) -> Array:
    """For item i: distance to its own truth less the mean distance to truths of other groups, shape [items].

    `distances[i, j]` is from generated i to truth j. Each other group counts once, however many items it has.
    Raises ValueError when there is a single group.
    """
    names = sorted(set(groups))
    if len(names) < 2:
        raise ValueError("all items belong to one group: there is no other to compare with")
    labels = np.array(groups)
    by_group = np.stack([distances[:, labels == name].mean(axis=1) for name in names], axis=1)
    gaps = []
    for number, group in enumerate(groups):
        other = np.array([name != group for name in names])
        gaps.append(distances[number, number] - by_group[number, other].mean())
    return np.array(gaps)


def sign_flip_p(differences: Array, rounds: int = 20_000, seed: int = 0) -> float:
    """One-sided p that the mean is not below 0: the share of random sign flips with a mean as low, itself counted."""
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(rounds, differences.size))
    means = signs @ differences / differences.size
    return float((1 + np.count_nonzero(means <= differences.mean() + 1e-12)) / (rounds + 1))


def pairing_p(distances: Array, rounds: int = 20_000, seed: int = 0) -> float:
    """One-sided p that generated sounds do not belong to their own truths: pairings drawn at random that fit as well.

    Unlike a test on differences it cannot be won by one sound for all items that happens to suit the most of them.
    """
    count = len(distances)
    generator = np.random.default_rng(seed)
    observed = float(np.trace(distances))
    rows = np.arange(count)
    sums = np.array([distances[rows, generator.permutation(count)].sum() for _ in range(rounds)])
    return float((1 + np.count_nonzero(sums <= observed + 1e-9)) / (rounds + 1))


def binomial_p(hits: int, trials: int, chance: float) -> float:
    """Exact one-sided p of at least `hits` in `trials` at `chance`."""
    terms = (math.comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(hits, trials + 1))
    return min(1.0, math.fsum(terms))
