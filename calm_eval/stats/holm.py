"""Several tests in one table: p-values adjusted so that a table without any real difference rarely claims one."""

from __future__ import annotations

from collections.abc import Sequence

NAME = "Holm"


def holm(ps: Sequence[float]) -> list[float]:
    """Adjusted p-values in the order given: reject where one is at most the level (Holm 1979, Scand. J. Stat. 6).

    The k-th smallest of m is multiplied by m - k + 1, never below one that was smaller, never above 1. Raises
    ValueError for what is no probability.
    """
    if not all(0 <= p <= 1 for p in ps):
        raise ValueError(f"probabilities from 0 to 1, got {list(ps)}")
    adjusted = [0.0] * len(ps)
    least = 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=lambda one: ps[one])):
        least = max(least, min(1.0, (len(ps) - rank) * ps[place]))
        adjusted[place] = least
    return adjusted
