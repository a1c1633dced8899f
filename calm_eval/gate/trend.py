"""Nightly runs as a series: where the next value should lie, whether the last one does, whether the level has moved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from calm_eval.errors import InputError
from calm_eval.gate.baseline import add_line, line_of, read_baseline
from calm_eval.gate.coverage import Side, baseline_side
from calm_eval.gate.gate_run import policy_of
from calm_eval.gate.snapshot import snapshot_of
from calm_eval.keys import seed_from
from calm_eval.metrics.protocol import MetricSpec
from calm_eval.reports.markdown import escape, table
from calm_eval.reports.rounding import three_digits
from calm_eval.reports.shuffled_table import p_text
from calm_eval.runs.run import Run
from calm_eval.specs.policy import GateSpec
from calm_eval.stats.trend import LEVEL, ChangePoint, change_point, prediction_bounds

NIGHTLY = "nightly.jsonl"
WINDOW = 20
"""So many runs before the last one say where it should lie."""


@dataclass(frozen=True)
class Trend:
    """One gate's series, oldest first, in the metric's unit as tables print it; `bounds` are for its last value."""

    gate: GateSpec
    spec: MetricSpec
    when: Sequence[str]
    values: Sequence[float]
    baseline: float | None
    bounds: tuple[float, float] | None
    change: ChangePoint | None
    left_out: int
    """Noted runs of other items or another metric, which are no part of the series."""

    @property
    def outside(self) -> bool:
        """Whether the last value is worse than the bound."""
        if self.bounds is None:
            return False
        return self.values[-1] < self.bounds[0] if self.spec.higher_is_better else self.values[-1] > self.bounds[1]


def note_run(run: Run, folder: Path) -> int:
    """Add a run's values to the series of a baseline's folder; returns how many. Raises InputError, StoreError."""
    read_baseline(folder)
    told = line_of(snapshot_of(run))
    try:
        add_line(folder / NIGHTLY, {"noted_at": datetime.now(UTC).isoformat(timespec="seconds"), **told})
    except OSError as error:
        raise InputError(f"--to {folder}: {error.strerror or error}") from error
    return len(told["values"])


def trends(folder: Path, policy: Path | None = None) -> list[Trend]:
    """The series of every gate of the policy. Raises InputError where nothing was noted, and as `baseline_side`."""
    baseline = read_baseline(folder)
    spec, where = policy_of(baseline, policy)
    lines = _lines(folder / NIGHTLY)
    return [_trend(gate, baseline_side(baseline.snapshot, gate, where), lines) for gate in spec.gates]


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise InputError(f"{path.parent}: no run was noted here; calm-eval baseline note RUN --to {path.parent}")
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); take it from git again") from error


def _trend(gate: GateSpec, side: Side, lines: Sequence[dict[str, Any]]) -> Trend:
    metric, scale = side.metric, side.metric.spec.scale
    when, values, left_out = [], [], 0
    for line in lines:
        for one in line["values"]:
            if (one["suite"], one["row"], one["metric"]) != (gate.suite, gate.row, gate.metric):
                continue
            if gate.judge not in (None, one["judge"]):
                continue
            if (one["fingerprint"], one["items"]) != (metric.fingerprint, side.suite.digest) or one["value"] is None:
                left_out += 1
                continue
            when.append(line["noted_at"])
            values.append(one["value"] * scale)
    before = side.measured.value
    seed = seed_from("trend", metric.fingerprint, gate.suite, gate.row)
    return Trend(
        gate,
        metric.spec,
        when,
        values,
        None if before is None else before * scale,
        prediction_bounds(values[:-1][-WINDOW:]),
        change_point(values, seed=seed),
        left_out,
    )


def trend_text(found: Sequence[Trend]) -> str:
    """A table with a line for each series, and what its columns are."""
    header = ["suite", "row", "metric", "runs", "last", "should lie in", "", "level moved", "p"]
    parts = [
        table(header, [_row(one) for one in found], numbers=False),
        f"Should lie in: by the {WINDOW} runs before it or fewer, each end passed by {1 - LEVEL:.0%} of values of a "
        "system in which nothing changes. Level moved: the split of the whole series that parts it most, with the "
        "p-value of so large a split in a random order of the same values.",
    ]
    if any(one.left_out for one in found):
        parts.append("Runs on other items or with another metric are no part of a series: " + _left_out(found) + ".")
    return "\n\n".join(parts) + "\n"


def _row(one: Trend) -> list[str]:
    spec, change = one.spec, one.change
    moved = (
        "–"
        if change is None
        else f"{three_digits(change.before)} to {three_digits(change.after)} at run {change.place + 1}"
    )
    return [
        escape(one.gate.suite),
        escape(one.gate.row),
        f"{escape(spec.title)} ({escape(spec.unit)}) {'↑' if spec.higher_is_better else '↓'}",
        str(len(one.values)),
        three_digits(one.values[-1]) if one.values else "–",
        "–" if one.bounds is None else " to ".join(three_digits(end) for end in one.bounds),
        "**outside**" if one.outside else "",
        moved,
        "–" if change is None else p_text(change.p),
    ]


def _left_out(found: Sequence[Trend]) -> str:
    return ", ".join(f"{one.left_out} for {escape(one.gate.title)}" for one in found if one.left_out)
