"""Fréchet distance between Gaussians (Dowson and Landau 1982), squared as everyone reports it, in float64.

    |mean1 - mean2|^2 + Tr(S1) + Tr(S2) - 2 Tr((S1 S2)^(1/2))

The last trace is the nuclear norm (sum of singular values) of F1^T F2 for any factors S1 = F1 F1^T, S2 = F2 F2^T, so no
matrix square root is needed, nothing is added to a diagonal, and nothing can be complex. Two routes:

- raw: the factors are the centred embeddings themselves, made small by QR; exact for any rank;
- statistics: factors of the covariances on their numerical rank. The null space of a covariance holds rounding of about
  1e-16 of its largest eigenvalue, whose square root would enter the sum: 4e-7 was seen.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calm_eval.metrics.frechet_gaussian import Gaussian, float64_blocks, gaussian_of

Array = NDArray[np.float64]

AGREEMENT = 1e-6
"""How far the two routes may differ, relative to the sum of both traces."""
NEGATIVE = 1e-6
"""How negative an eigenvalue of a covariance may be, relative to the largest, before it is refused."""
ASYMMETRY = 1e-6
"""How far a covariance may be from symmetric, relative to its largest entry."""

_EPSILON = float(np.finfo(np.float64).eps)
_ENOUGH = 1e-9
"""Rounding in square roots of eigenvalues up to this, relative to both traces, is let pass."""
_ENOUGH_TO_CHECK = AGREEMENT / 10
"""The same where the value is not told and only has to agree with the other route's."""


class RoutesDisagreeError(ArithmeticError):
    """The raw and the statistics route differ by more than rounding can explain; `raw` and `statistics` hold both."""

    def __init__(self, raw: float, statistics: float, traces: float) -> None:
        super().__init__(
            f"Fréchet distance {raw!r} from embeddings and {statistics!r} from their statistics differ by more than "
            f"{AGREEMENT:g} of the sum of traces, {traces!r}: look for dimensions of hugely different scale"
        )
        self.raw = raw
        self.statistics = statistics


def frechet_distance(first: Gaussian, second: Gaussian) -> float:
    """Squared Fréchet distance, >= 0, from statistics alone. Error within 1e-7 of the sum of traces.

    Raises ValueError for different dimensions and for a covariance that is none: not symmetric, or with an eigenvalue
    under -1e-6 of the largest.
    """
    return _from_statistics(first, second, _ENOUGH * _traces(first, second))


def _from_statistics(first: Gaussian, second: Gaussian, enough: float) -> float:
    """The statistics route, with rounding of up to `enough` let pass."""
    _same_dimensions(first.dimensions, second.dimensions)
    product = covariance_factor(first.covariance).T @ covariance_factor(second.covariance)
    return _assembled(first, second, _nuclear_norm(product, enough))


def frechet_distance_raw(first: ArrayLike, second: ArrayLike) -> float:
    """Squared Fréchet distance, >= 0, between embeddings [n, d] and [m, d], of any rank.

    Float arrays of any precision, memory-mapped ones read block by block. Raises ValueError for fewer than two frames,
    different dimensions, a value that is not finite.
    """
    return _raw(first, second, gaussian_of(first), gaussian_of(second))


def frechet_distance_checked(first: ArrayLike, second: ArrayLike) -> float:
    """As `frechet_distance_raw`; raises RoutesDisagreeError when the statistics route says something else."""
    one, two = gaussian_of(first), gaussian_of(second)
    return _checked(_small([first], one), _small([second], two), one, two)


def frechet_distance_of_clips(
    first: Iterable[ArrayLike], second: Iterable[ArrayLike], one: Gaussian, two: Gaussian
) -> float:
    """As `frechet_distance_checked` for clips [F, d] whose Gaussians are known; each is read once, none is kept."""
    return _checked(_small(first, one), _small(second, two), one, two)


def _checked(first: Array, second: Array, one: Gaussian, two: Gaussian) -> float:
    _same_dimensions(one.dimensions, two.dimensions)
    raw, traces = _assembled(one, two, _nuclear_norm(first @ second.T)), _traces(one, two)
    require_agreement(raw, _from_statistics(one, two, _ENOUGH_TO_CHECK * traces), traces)
    return raw


def require_agreement(raw: float, statistics: float, traces: float) -> None:
    """Raise RoutesDisagreeError when two values differ by more than 1e-6 of the sum of traces, or are not numbers."""
    if not abs(raw - statistics) <= AGREEMENT * traces:
        raise RoutesDisagreeError(raw, statistics, traces)


def covariance_factor(covariance: Array) -> Array:
    """F [d, rank] with F F^T = covariance [d, d] on its numerical rank (eigenvalues above d eps times the largest).

    Cholesky where every eigenvalue is above that, eigenvectors otherwise. Raises ValueError for what is no covariance.
    """
    dimensions = len(covariance)
    largest = float(np.abs(covariance).max())
    if float(np.abs(covariance - covariance.T).max()) > ASYMMETRY * largest:
        raise ValueError("a covariance is not symmetric")
    even = (covariance + covariance.T) / 2
    if (whole := _cholesky_of_full_rank(even)) is not None:
        return whole
    values, vectors = np.linalg.eigh(even)
    top = float(values[-1])
    if values[0] < -NEGATIVE * max(top, 0.0):
        raise ValueError(f"a covariance has the eigenvalue {values[0]:g} and its largest is {top:g}")
    kept = values > dimensions * _EPSILON * top
    return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


def _cholesky_of_full_rank(even: Array) -> Array | None:
    """The Cholesky factor where no eigenvalue is near rounding, else None: a fourth of the time of eigenvectors."""
    dimensions = len(even)
    shift = dimensions * _EPSILON * float(np.linalg.norm(even))
    try:
        lowered = even.copy()
        lowered[np.diag_indices(dimensions)] -= shift
        np.linalg.cholesky(lowered)
        return np.asarray(np.linalg.cholesky(even), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None


def _nuclear_norm(product: Array, enough: float | None = None) -> float:
    """Sum of singular values. With `enough`, by symmetric eigenvalues where their rounding stays under it.

    An eigenvalue of P P^T is known to about eps times the largest, and so its root to eps s_max^2 / (2 s), or to the
    root of the error itself near 0. That is faster than singular values, which are known to eps s_max each.
    """
    if 0 in product.shape:
        return 0.0
    if enough is not None:
        wide = product if product.shape[0] <= product.shape[1] else product.T
        squares = np.linalg.eigvalsh(wide @ wide.T)
        rounding = len(squares) ** 0.5 * _EPSILON * float(squares[-1])
        roots = np.sqrt(np.maximum(squares, 0.0))
        if float((rounding / (2 * np.maximum(roots, rounding**0.5 / 2))).sum() if rounding > 0 else 0.0) <= enough:
            return float(roots.sum())
    return float(np.linalg.svd(product, compute_uv=False).sum())


def _raw(first: ArrayLike, second: ArrayLike, one: Gaussian, two: Gaussian) -> float:
    _same_dimensions(one.dimensions, two.dimensions)
    return _assembled(one, two, _nuclear_norm(_small([first], one) @ _small([second], two).T))


def _small(parts: Iterable[ArrayLike], about: Gaussian) -> Array:
    """A [min(n, d), d] whose A^T A is the covariance: centred frames, folded by QR of blocks when they are many."""
    dimensions = about.dimensions
    rows = max(5 * dimensions, (1 << 20) // dimensions)
    waiting: list[Array] = []
    for part in parts:
        for block in float64_blocks(part, rows):
            waiting.append(block - about.mean)
            if sum(map(len, waiting)) >= rows:
                waiting = [_folded(waiting)]
    return np.asarray(_folded(waiting or [np.empty((0, dimensions))]) / np.sqrt(about.count - 1))


def _folded(blocks: list[Array]) -> Array:
    whole = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    return np.asarray(np.linalg.qr(whole, mode="r"), dtype=np.float64) if len(whole) > whole.shape[1] else whole


def _assembled(one: Gaussian, two: Gaussian, root: float) -> float:
    """The distance from its parts. It is never negative; what rounding leaves below 0 is 0."""
    away = one.mean - two.mean
    return max(0.0, float(away @ away) + _traces(one, two) - 2 * root)


def _traces(one: Gaussian, two: Gaussian) -> float:
    return float(np.trace(one.covariance) + np.trace(two.covariance))


def _same_dimensions(one: int, two: int) -> None:
    if one != two:
        raise ValueError(f"embeddings of {one} and of {two} dimensions are not of one embedder")
