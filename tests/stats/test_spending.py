"""Alpha over looks: what each may spend, and that all together keep the promise."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.stats.spending import spent_at_looks


def test_one_look_spends_all() -> None:
    assert spent_at_looks(0.05, [3]) == [pytest.approx(0.05)]


def test_half_of_the_data_may_spend_little() -> None:
    """2 - 2 Phi(1.959964 / sqrt(1/2)) = 2 (1 - Phi(2.771808)) = 0.005575 for alpha 0.05."""
    first, second = spent_at_looks(0.05, [1, 2])
    assert first == pytest.approx(0.0055746, abs=1e-6)
    assert first + second == pytest.approx(0.05)


def test_three_looks_without_a_loss_fail_rarely() -> None:
    """40,000 series of looks at 1, 2 and 4 parts: at most 5 of 100 reach any bound."""
    from statistics import NormalDist

    parts = np.random.default_rng(2).normal(size=(40_000, 4))
    failed = np.zeros(len(parts), dtype=bool)
    for size, level in zip([1, 2, 4], spent_at_looks(0.05, [1, 2, 4]), strict=True):
        failed |= parts[:, :size].sum(axis=1) / np.sqrt(size) > NormalDist().inv_cdf(1 - level)
    assert failed.mean() <= 0.05 + 0.003
    assert failed.mean() > 0.04


@pytest.mark.parametrize(("alpha", "sizes"), [(0.0, [1]), (0.5, [1]), (0.05, []), (0.05, [2, 2]), (0.05, [0, 1])])
def test_what_is_refused(alpha, sizes) -> None:
    with pytest.raises(ValueError, match=r"alpha between|sizes that ascend"):
        spent_at_looks(alpha, sizes)
