"""Whether a candidate can be held against a baseline at all: what is missing is a failure, never a pass.

A wrong policy or baseline is the user's error (InputError); what the candidate lacks is a FAIL with its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from calm_eval.errors import InputError
from calm_eval.gate.snapshot import Measured, Place, RowSnapshot, Snapshot, SuiteSnapshot, Value
from calm_eval.metrics.bound import BoundMetric, make_metric
from calm_eval.specs.policy import GateSpec

SHOWN = 5


@dataclass(frozen=True)
class Side:
    """One run's part of a gate: the suite, the row, and the metric that is gated."""

    suite: SuiteSnapshot
    row: RowSnapshot
    metric: BoundMetric

    @property
    def measured(self) -> Measured:
        """The row by the metric."""
        return self.row.measured[self.metric.fingerprint]


@dataclass(frozen=True)
class Gap:
    """What a candidate lacks: a name that stays the same over versions, and the particulars."""

    name: str
    why: str


def baseline_side(snapshot: Snapshot, gate: GateSpec, where: str) -> Side:
    """The baseline's part. Raises InputError where the policy names what it has not, or a wrong unit."""
    if gate.suite not in snapshot.suites:
        known = ", ".join(snapshot.suites)
        raise InputError(f"{where}: no suite '{gate.suite}' in the baseline; suites: {known}")
    suite = snapshot.suites[gate.suite]
    if gate.row not in suite.rows:
        raise InputError(f"{where}: no row '{gate.row}' in the baseline; rows: {', '.join(suite.rows)}")
    metric = _metric(suite, gate)
    if metric is None:
        known = ", ".join(dict.fromkeys(one.spec.name for one in suite.metrics))
        by = f" by {gate.judge}" if gate.judge else ""
        raise InputError(f"{where}: no metric '{gate.metric}'{by} in the baseline; metrics: {known}")
    if gate.unit != metric.spec.unit:
        raise InputError(f"{where}: the margin is in '{gate.unit}', and {metric.spec.name} is in '{metric.spec.unit}'")
    row = suite.rows[gate.row]
    if metric.fingerprint not in row.measured:
        raise InputError(f"{where}: the baseline's row '{gate.row}' has no quality: its system is not scored")
    if metric.spec.kind == "set" and gate.primary and not can_be_tested(metric):
        raise InputError(f"{where}: no test of two rows by {metric.spec.name} is known; it can report: primary: false")
    if metric.spec.timing and gate.primary:
        raise InputError(
            f"{where}: {metric.spec.name} is a time: a baseline's was taken on another machine or in another hour, so "
            "it can only report: primary: false"
        )
    return Side(suite, row, metric)


def can_be_tested(metric: BoundMetric) -> bool:
    """Whether two rows can be tested by this metric of the whole set. UnavailableError where its package is missing."""
    return hasattr(make_metric(metric.use), "choice") and metric.judge_fingerprint is not None


def _metric(suite: SuiteSnapshot, gate: GateSpec) -> BoundMetric | None:
    found = [one for one in suite.metrics if one.spec.name == gate.metric and gate.judge in (None, one.preset)]
    if len(found) > 1:
        judges = ", ".join(one.preset for one in found)
        raise InputError(f"{gate.title}: several metrics of this name; say which with judge: {judges}")
    return found[0] if found else None


def candidate_side(snapshot: Snapshot, gate: GateSpec, baseline: Side) -> Side | Gap:
    """The candidate's part, or what of it is missing. Raises InputError for another version of the suite."""
    suite = snapshot.suites.get(gate.suite)
    if suite is None:
        return Gap("no-suite", f"the candidate has no suite '{gate.suite}'")
    if suite.version != baseline.suite.version:
        raise InputError(
            f"{gate.suite}: the baseline is of version {baseline.suite.version} of this suite and the candidate of "
            f"{suite.version}; accept a baseline of version {suite.version}"
        )
    row = suite.rows.get(gate.row)
    if row is None:
        return Gap("no-row", f"the candidate has no row '{gate.row}'")
    metric = _metric(suite, gate)
    if metric is None or metric.fingerprint not in row.measured:
        return Gap("no-metric", f"the candidate was not measured by '{gate.metric}'")
    return Side(suite, row, metric)


def gaps(candidate: Side, baseline: Side, seeds: int) -> Iterator[Gap]:
    """Everything that keeps the two from being compared, the first reason first; so many `seeds` are wanted."""
    mine, theirs = candidate.suite, baseline.suite
    lacking = [name for name in theirs.items if name not in mine.items]
    if lacking:
        yield Gap("items-missing", f"{len(lacking)} of {len(theirs.items)} items are missing: {_named(lacking)}")
    others = [name for name, identity in mine.items.items() if theirs.items.get(name) != identity]
    if others:
        yield Gap("other-items", f"{len(others)} items are not those of the baseline: {_named(others)}")
    if mine.reference_set_digest != theirs.reference_set_digest and "reference_set" in baseline.metric.spec.needs:
        yield Gap("other-reference-set", "the reference set is another one")
    if mine.seeds < seeds:
        yield Gap("seeds-missing", f"{mine.seeds} of {seeds} seeds")
    unmade = candidate.row.planned - len(candidate.row.sounds)
    if unmade:
        yield Gap("unfinished", f"{unmade} of {candidate.row.planned} samples are not made")
    yield from _failures(candidate, baseline)
    yield from _values(candidate, baseline)


def _failures(candidate: Side, baseline: Side) -> Iterator[Gap]:
    new = [
        f"{item} seed {seed} ({sound.failure})"
        for (item, seed), sound in candidate.row.sounds.items()
        if sound.failure and not ((was := baseline.row.sounds.get((item, seed))) and was.failure)
    ]
    if new:
        yield Gap("new-failures", f"{len(new)} samples failed that did not before: {_named(new)}")


def _values(candidate: Side, baseline: Side) -> Iterator[Gap]:
    measured = candidate.measured
    if measured.invalid is not None:
        yield Gap("invalid", f"the metric's own check says that the value means nothing: {measured.invalid}")
    if candidate.metric.unavailable:
        yield Gap("judge-unavailable", f"{candidate.metric.preset}: {candidate.metric.unavailable}")
    if candidate.metric.spec.kind == "set":
        if measured.value is None and measured.invalid is None:
            yield Gap("not-scored", "the candidate has no value")
        return
    made = [place for place, sound in candidate.row.sounds.items() if sound.failure is None]
    lacking = [f"{item} seed {seed}" for item, seed in made if (item, seed) not in measured.values]
    if lacking and not candidate.metric.unavailable:
        yield Gap("not-scored", f"{len(lacking)} samples are not scored: {_named(lacking)}")
    before = baseline.measured.values
    refused = [
        f"{item} seed {seed} ({value.refused})"
        for (item, seed), value in measured.values.items()
        if value.numerator is None and _scored(before, (item, seed))
    ]
    if refused:
        yield Gap("new-refusals", f"{len(refused)} samples have no value that had one before: {_named(refused)}")


def _scored(values: Mapping[Place, Value], place: Place) -> bool:
    return place in values and values[place].numerator is not None


def _named(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
