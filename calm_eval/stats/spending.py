"""An error rate spent over several looks at growing data: little at first, so that the last look keeps nearly all."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from statistics import NormalDist

_NORMAL = NormalDist()


def spent_at_looks(alpha: float, sizes: Sequence[int]) -> list[float]:
    """The level of a one-sided test at each look, from the sizes of the data, ascending.

    Increments of the spending function 2 - 2 Phi(z(1 - alpha/2) / sqrt(t)), t the share of the last size (Lan and
    DeMets 1983, "Discrete sequential boundaries for clinical trials"; like O'Brien and Fleming's bounds). They add up
    to alpha, so by Bonferroni's inequality all looks together err with probability alpha at most, however the looks
    depend on each other; the exact boundaries would be a little wider. Raises ValueError for an alpha outside (0, 0.5)
    and for sizes that do not ascend from 1 or more.
    """
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha between 0 and 0.5, got {alpha}")
    if not sizes or sizes[0] < 1 or any(later <= earlier for earlier, later in itertools.pairwise(sizes)):
        raise ValueError(f"sizes that ascend from 1 or more, got {list(sizes)}")
    reach = _NORMAL.inv_cdf(1 - alpha / 2)
    spent = [2 - 2 * _NORMAL.cdf(reach / math.sqrt(size / sizes[-1])) for size in sizes]
    return [later - earlier for earlier, later in itertools.pairwise([0.0, *spent])]
