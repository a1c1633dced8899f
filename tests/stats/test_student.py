"""Quantiles of t against scipy."""

from __future__ import annotations

import pytest
from scipy import stats

from calm_eval.stats.student import t_quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 9, 19, 39, 199, 19999])
@pytest.mark.parametrize("probability", [0.9, 0.95, 0.975])
def test_against_scipy(freedom: int, probability: float) -> None:
    close = 2e-3 if freedom < 10 else 4e-6
    if freedom < 3:
        close = 1e-12
    assert t_quantile(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=close)
    assert t_quantile(1 - probability, freedom) == pytest.approx(-t_quantile(probability, freedom), rel=1e-9)


@pytest.mark.parametrize(("probability", "freedom"), [(0.0, 5), (1.0, 5), (0.975, 0)])
def test_what_has_no_quantile(probability: float, freedom: int) -> None:
    with pytest.raises(ValueError, match="probability"):
        t_quantile(probability, freedom)
