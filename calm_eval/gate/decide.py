"""A candidate against a baseline by a policy: a verdict for each gate, and one for all that decide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from calm_eval.errors import InputError
from calm_eval.gate.baseline import Baseline
from calm_eval.gate.coverage import Gap, Side, baseline_side, can_be_tested, candidate_side, gaps
from calm_eval.gate.enough import items_to_decide, noise_of_pairs, seeds_to_decide
from calm_eval.gate.latency_line import LatencyLine
from calm_eval.gate.looks import Look, look_at
from calm_eval.gate.ruling import Ruling, Verdict, adjusted, family, rule
from calm_eval.gate.set_loss import Sources, loss_of_set
from calm_eval.gate.snapshot import Snapshot
from calm_eval.keys import seed_from
from calm_eval.metrics.protocol import MetricSpec
from calm_eval.runs.paired import paired_parts
from calm_eval.specs.policy import GateSpec, PolicySpec
from calm_eval.stats.loss import Loss, Rows, paired_loss

Cause = Literal[
    "coverage",
    "fingerprint",
    "metric",
    "limit",
    "model or environment",
    "model",
    "environment",
    "model and environment",
]
"""Why a gate failed. `fingerprint`: the metric is another one, and nothing was scored again to tell what that did."""


@dataclass(frozen=True)
class Line:
    """One gate and what came of it. Values and losses are as stored: times `spec.scale` they are in the unit.

    `shift` is what the metric itself moved by on the baseline's audio, where that was scored again. `alike` of
    `sounds` samples are the baseline's to the bit. `items` and `seeds` say how many would decide what is open.
    """

    gate: GateSpec
    spec: MetricSpec
    verdict: Verdict
    why: str
    cause: Cause | None = None
    before: float | None = None
    after: float | None = None
    loss: Loss | None = None
    p: float | None = None
    shift: float | None = None
    alike: int = 0
    sounds: int = 0
    items: int | None = None
    seeds: int | None = None
    look: Look | None = None
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True)
class GateReport:
    """The whole: its lines in the order of the policy, the time gates, and what each side was."""

    policy: PolicySpec
    lines: Sequence[Line]
    baseline: Baseline
    candidate: Snapshot
    rescored: bool = False
    latency: Sequence[LatencyLine] = ()

    @property
    def decisive(self) -> list[Verdict]:
        """The verdicts of the gates that decide."""
        lines: list[Line | LatencyLine] = [*self.lines, *self.latency]
        return [line.verdict for line in lines if line.gate.primary]

    @property
    def verdict(self) -> Verdict:
        """One for all that decide."""
        return family(self.decisive)


@dataclass(frozen=True)
class _Pairing:
    """A gate whose two sides can be compared, or the gaps between them."""

    gate: GateSpec
    before: Side
    after: Side | None
    gaps: tuple[Gap, ...]
    rows: tuple[Rows, Rows] | None = None
    loss: Loss | None = None
    shift: float | None = None
    look: Look | None = None


def hold(
    candidate: Snapshot,
    baseline: Baseline,
    policy: PolicySpec,
    where: str,
    sources: Sources,
    rescored: Snapshot | None = None,
) -> GateReport:
    """Decide. `where` names the policy in errors; `rescored` is the baseline's audio by today's metrics.

    `sources` hold the embeddings that metrics of the whole set are compared on.

    Raises InputError for a policy that does not fit the baseline, and for a candidate that is the baseline's own run.
    """
    if candidate.origin and candidate.origin == baseline.snapshot.origin:
        raise InputError("the candidate is the very run that the baseline was accepted from: nothing is compared")
    pairings = [_pair(gate, candidate, baseline.snapshot, policy, where, rescored, sources) for gate in policy.gates]
    decisive = [one for one in pairings if one.gate.primary]
    ps = dict(zip((one.gate.title for one in decisive), adjusted([one.loss for one in decisive]), strict=True))
    lines = [_line(one, ps.get(one.gate.title, one.loss.p if one.loss else None)) for one in pairings]
    return GateReport(policy, lines, baseline, candidate, rescored is not None)


def _pair(
    gate: GateSpec,
    candidate: Snapshot,
    baseline: Snapshot,
    policy: PolicySpec,
    where: str,
    rescored: Snapshot | None,
    sources: Sources,
) -> _Pairing:
    before = baseline_side(baseline, gate, where)
    after = candidate_side(candidate, gate, before)
    if isinstance(after, Gap):
        return _Pairing(gate, before, None, (after,))
    least = policy.looks[0] if policy.looks else before.suite.seeds
    found = tuple(gaps(after, before, least))
    if found:
        return _Pairing(gate, before, after, found)
    look = look_at(policy, after, before)
    then, shift = before, None
    if after.metric.fingerprint != before.metric.fingerprint:
        if rescored is None:
            why = _changed(before, after)
            return _Pairing(gate, before, after, (Gap("fingerprint", f"{why}; --rescore tells what that did"),))
        again = candidate_side(rescored, gate, before)
        if isinstance(again, Gap):
            raise InputError(f"{where}: scored again, {again.why}")
        shift, then = _moved(before, again), again
    if before.metric.spec.kind == "set":
        loss = loss_of_set(gate, then, after, sources, look) if can_be_tested(after.metric) else None
        return _Pairing(gate, before, after, (), None, loss, shift, look)
    rows = paired_parts(after.measured.parts(look.seeds), then.measured.parts(look.seeds), look.seeds)
    loss = paired_loss(
        *rows,
        higher_is_better=before.metric.spec.higher_is_better,
        alpha=look.alpha,
        seed=seed_from("gate", before.metric.fingerprint, gate.suite, gate.row),
    )
    return _Pairing(gate, before, after, (), rows, loss, shift, look)


def _moved(before: Side, again: Side) -> float:
    """What the metric alone moved by, on the samples that both have a value of; 0 where each value is the same.

    Raises InputError where there is no such sample: then nothing can be told apart.
    """
    if before.metric.spec.kind == "set":
        known = [side.measured.value for side in (before, again)]
        if known[0] is None or known[1] is None:
            raise InputError(f"{before.metric.spec.name}: scored again, the baseline's audio has no value")
        return 0.0 if _same(known[0], known[1]) else known[1] - known[0]
    then, now = before.measured.parts(), again.measured.parts()
    both = [place for place in then if place in now]
    if len(both) == len(then) == len(now) and all(
        _same(*pair) for one in both for pair in zip(then[one], now[one], strict=True)
    ):
        return 0.0
    sums = [[math.fsum(values[place][part] for place in both) for part in (0, 1)] for values in (then, now)]
    if min(sums[0][1], sums[1][1]) <= 0:
        raise InputError(f"{before.metric.spec.name}: scored again, no sample of the baseline has a value")
    return sums[1][0] / sums[1][1] - sums[0][0] / sums[0][1]


def _same(one: float, other: float) -> bool:
    """Equal but for the rounding of another library."""
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)


def _changed(before: Side, after: Side) -> str:
    one, other = before.metric, after.metric
    if one.judge_fingerprint != other.judge_fingerprint:
        return f"the judge {other.preset} is not the baseline's ({one.preset}, other weights, version or options)"
    if one.spec.version != other.spec.version:
        return f"{one.spec.name} is version {other.spec.version}, the baseline's was {one.spec.version}"
    return f"{one.spec.name} has other parameters than the baseline's"


def _line(pairing: _Pairing, p: float | None) -> Line:
    gate, before, after = pairing.gate, pairing.before, pairing.after
    spec = before.metric.spec
    line = Line(gate, spec, "FAIL", "", before=before.measured.value, gaps=pairing.gaps)
    if after is not None:
        alike = [place for place, sound in after.row.sounds.items() if before.row.sounds.get(place) == sound]
        line = replace(
            line,
            after=after.measured.value,
            alike=len(alike),
            sounds=len(before.row.sounds),
            shift=pairing.shift,
            look=pairing.look,
        )
    if pairing.gaps:
        cause: Cause = "fingerprint" if pairing.gaps[0].name == "fingerprint" else "coverage"
        return replace(line, cause=cause, why="; ".join(gap.why for gap in pairing.gaps))
    if pairing.shift:
        told = f"{spec.name} itself moved by {pairing.shift * spec.scale:+.4g} {spec.unit} on the baseline's own audio"
        return replace(line, cause="metric", why=told, loss=pairing.loss, p=p)
    if gate.limit is not None and _beyond(line.after, gate.limit / spec.scale, higher_is_better=spec.higher_is_better):
        return replace(
            line, cause="limit", why=f"worse than the limit of {gate.limit:g} {spec.unit}", loss=pairing.loss
        )
    if pairing.loss is None:
        told = "cannot be tested; reported only" if spec.kind == "set" else "no item has a value on both sides"
        return replace(line, verdict="INCONCLUSIVE", why=told)
    ruling = rule(pairing.loss, gate.margin / spec.scale, p)
    return _ruled(replace(line, loss=pairing.loss, p=p), ruling, pairing.rows)


def _ruled(line: Line, ruling: Ruling, rows: tuple[Rows, Rows] | None) -> Line:
    line = replace(line, verdict=ruling.verdict, why=ruling.why)
    if ruling.verdict == "FAIL" and line.alike == line.sounds:
        return replace(
            line, cause="metric", why=f"{line.why}; every sound is the baseline's, so what measures has changed"
        )
    if ruling.verdict == "FAIL":
        return replace(line, cause="model or environment")
    if ruling.verdict == "PASS" or line.loss is None:
        return line
    margin, noise = line.gate.margin / line.spec.scale, None if rows is None else noise_of_pairs(*rows)
    seeds = seeds_to_decide(line.loss, margin, noise) if noise is not None else None
    return replace(line, items=items_to_decide(line.loss, margin), seeds=seeds)


def _beyond(value: float | None, limit: float, *, higher_is_better: bool) -> bool:
    if value is None:
        return True
    return value < limit if higher_is_better else value > limit
