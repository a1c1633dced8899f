"""Time gates: how many times slower the candidate is than the baseline's system, both measured in one job, in turns.

A time of another hour or machine is no baseline, so the other side is measured again beside the candidate
(`calm-eval latency NEW --against OLD`). The interval of a ratio is that of its comparison: 95 %, for another
measurement of the same size. PASS: it ends below the margin. FAIL: it begins above 1 and the ratio is at least the
margin. So each of the two errs in 2.5 % at most, and no part of the policy's alpha is spent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calm_eval.errors import InputError
from calm_eval.gate.ruling import Verdict
from calm_eval.latency.compare import Speedup, compare
from calm_eval.latency.measured import Measurement
from calm_eval.latency.summary import Summary, summarise
from calm_eval.specs.policy import LatencyGateSpec


@dataclass(frozen=True)
class LatencyLine:
    """One time gate and what came of it. `ratio` is candidate over baseline, `low` to `high` its interval."""

    gate: LatencyGateSpec
    verdict: Verdict
    why: str
    ratio: float | None = None
    low: float | None = None
    high: float | None = None


def latency_lines(gates: Sequence[LatencyGateSpec], measurement: Measurement) -> list[LatencyLine]:
    """A verdict for each gate. A row that is missing, or was not measured, fails.

    Raises InputError for rows that compute in different ways (eager, compiled).
    """
    failed = {one.row.name: one.failure[1] for one in measurement.rows if one.failure is not None}
    made = [summarise(one) for one in measurement.rows if one.failure is None and one.counted]
    rows = {one.measured.row.name: one for one in made}
    return [_line(gate, rows, failed) for gate in gates]


def _line(gate: LatencyGateSpec, rows: Mapping[str, Summary], failed: Mapping[str, str]) -> LatencyLine:
    for name in (gate.row, gate.against):
        if name not in rows:
            what = failed.get(name, f"not in the measurement, which has {', '.join(rows) or 'no row'}")
            return LatencyLine(gate, "FAIL", f"coverage: {name}: {what}")
    try:
        compared = compare(rows[gate.row], rows[gate.against], same_backbone=False)
    except ValueError as error:
        raise InputError(f"latency gate of {gate.row}: {error}") from error
    found: Speedup | None = getattr(compared, gate.quantity)
    if found is None:
        return LatencyLine(gate, "FAIL", f"coverage: the two rows have no {gate.quantity} to compare")
    ratio = 1 / found.value
    if found.interval is None:
        return LatencyLine(gate, "INCONCLUSIVE", "one process bears no bound; measure with more pairs", ratio)
    low, high = 1 / found.interval[1], 1 / found.interval[0]
    verdict, why = ruled(ratio, low, high, gate.margin)
    return LatencyLine(gate, verdict, why, ratio, low, high)


def ruled(ratio: float, low: float, high: float, margin: float) -> tuple[Verdict, str]:
    """The verdict on a ratio with its interval; `margin` above 1."""
    if high < margin:
        return "PASS", "the interval of the ratio ends below the margin"
    if ratio < margin:
        return "INCONCLUSIVE", "the ratio lies below the margin, and its interval reaches beyond"
    if low > 1:
        return "FAIL", "the ratio is at least the margin, and no chance"
    return "INCONCLUSIVE", "the ratio is at least the margin, and may be chance"
