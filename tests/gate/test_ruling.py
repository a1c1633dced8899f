"""The three verdicts, by the numbers of the rule."""

from __future__ import annotations

import pytest

from calm_eval.gate.ruling import EXIT_CODES, adjusted, family, rule
from calm_eval.stats.loss import Loss


def loss(value, low, high, p=0.5) -> Loss:
    return Loss(value, low, high, p, 0.1, 50, 0.95)


@pytest.mark.parametrize(
    ("found", "p", "verdict", "why"),
    [
        (loss(0.0, -0.4, 0.4), 1.0, "PASS", "below the margin"),
        (loss(0.2, 0.1, 0.499), 0.001, "PASS", "below the margin"),  # A certain loss that does not matter.
        (loss(0.2, -0.1, 0.5), 0.2, "INCONCLUSIVE", "its upper bound does not"),
        (loss(0.5, 0.1, 0.9), 0.01, "FAIL", "no chance"),
        (loss(0.5, 0.1, 0.9), 0.051, "INCONCLUSIVE", "may be chance"),  # Holm took it back.
        (loss(0.9, -0.1, 1.9), 0.01, "INCONCLUSIVE", "may be chance"),
        (loss(0.4, 0.1, 0.7), 0.01, "INCONCLUSIVE", "its upper bound does not"),
        (Loss(3.0, None, None, None, None, 1, 0.95), None, "INCONCLUSIVE", "one item"),
    ],
)
def test_a_margin_of_a_half(found, p, verdict, why) -> None:
    ruling = rule(found, 0.5, p)
    assert ruling.verdict == verdict
    assert why in ruling.why


def test_a_family_passes_only_whole_and_fails_by_one() -> None:
    assert family(["PASS", "PASS"]) == "PASS"
    assert family(["PASS", "INCONCLUSIVE"]) == "INCONCLUSIVE"
    assert family(["PASS", "FAIL", "INCONCLUSIVE"]) == "FAIL"
    assert EXIT_CODES == {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}
    with pytest.raises(ValueError, match="no primary metric"):
        family([])


def test_p_values_are_adjusted_over_those_that_have_one() -> None:
    """Of three, the smallest is multiplied by three and the next by two (Holm)."""
    none = Loss(1.0, None, None, None, None, 1, 0.95)
    found = adjusted([loss(0, 0, 0, 0.01), none, loss(0, 0, 0, 0.2), None, loss(0, 0, 0, 0.04)])
    assert found == [pytest.approx(0.03), None, pytest.approx(0.2), None, pytest.approx(0.08)]


def test_a_margin_of_nothing() -> None:
    with pytest.raises(ValueError, match="a margin above 0"):
        rule(loss(0, 0, 0), 0.0, 1.0)
