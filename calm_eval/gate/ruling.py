"""PASS, FAIL or INCONCLUSIVE: for one metric by its loss and margin, for a family of metrics by Holm.

PASS: the upper bound of the loss lies below the margin, so a loss of the margin passes with probability alpha at most
(non-inferiority). FAIL: a loss above 0 is shown and the loss that was found is at least the margin, so a candidate in
which nothing changed fails with probability alpha at most. Neither: INCONCLUSIVE. No correction is needed for a PASS
of all, because all must pass (Berger 1982, "Multiparameter hypothesis testing and acceptance sampling"); FAIL of any
takes Holm's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from calm_eval.stats.holm import holm
from calm_eval.stats.loss import Loss

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]

EXIT_CODES: dict[Verdict, int] = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}


@dataclass(frozen=True)
class Ruling:
    """A verdict, why in words, and the p-value that was held against alpha, adjusted within the family."""

    verdict: Verdict
    why: str
    p: float | None = None


def adjusted(losses: Sequence[Loss | None]) -> list[float | None]:
    """Holm-adjusted p-values of the losses of a family, in their order; None where there is no p-value."""
    known = [one.p for one in losses if one is not None and one.p is not None]
    told = iter(holm(known))
    return [None if one is None or one.p is None else next(told) for one in losses]


def rule(loss: Loss, margin: float, p: float | None) -> Ruling:
    """The verdict for one metric; `margin` in the metric's unit, `p` adjusted. Raises ValueError for a margin <= 0."""
    if margin <= 0:
        raise ValueError(f"a margin above 0, got {margin}")
    if loss.low is None or loss.high is None or p is None:
        return Ruling("INCONCLUSIVE", "one item bears no bound")
    if loss.high < margin:
        return Ruling("PASS", "the upper bound of the loss lies below the margin", p)
    if loss.loss >= margin and loss.low > 0 and p <= 1 - loss.level:
        return Ruling("FAIL", "the loss is at least the margin, and no chance", p)
    if loss.loss >= margin:
        return Ruling("INCONCLUSIVE", "the loss is at least the margin, and may be chance", p)
    return Ruling("INCONCLUSIVE", "the loss lies below the margin, and its upper bound does not", p)


def family(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict of all primary metrics together. Raises ValueError for none: that would pass by omission."""
    if not verdicts:
        raise ValueError("no primary metric: nothing can be decided")
    if "FAIL" in verdicts:
        return "FAIL"
    return "PASS" if set(verdicts) == {"PASS"} else "INCONCLUSIVE"
