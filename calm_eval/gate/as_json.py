"""The gate's verdict for other programs, under a schema with a version.

    {"schema": "calm-eval-gate", "version": 2, "verdict": "PASS" | "FAIL" | "INCONCLUSIVE", "exit_code": 0 | 1 | 3,
     "policy", "alpha", "baseline": {"accepted_at", "why"}, "rescored", "gates": [
        {"suite", "row", "metric", "judge", "primary", "verdict", "cause", "why", "unit", "margin", "limit",
         "before", "after", "loss", "low", "high", "p", "n_items", "metric_shift", "items_needed", "seeds_needed",
         "look", "looks", "alpha", "sounds", "sounds_alike", "gaps": [{"name", "why"}]}],
     "latency": [{"row", "against", "quantity", "primary", "verdict", "why", "margin", "ratio", "low", "high"}]}

Values, losses and shifts are in the unit that is named, ratios of times are those of the row to the other. What is not
known is null. Version 2 added `latency`.
"""

from __future__ import annotations

import json
from typing import Any

from calm_eval.gate.decide import GateReport, Line
from calm_eval.gate.latency_line import LatencyLine
from calm_eval.gate.ruling import EXIT_CODES

SCHEMA, VERSION = "calm-eval-gate", 2


def gate_json(report: GateReport) -> str:
    """The JSON text."""
    told = {
        "schema": SCHEMA,
        "version": VERSION,
        "verdict": report.verdict,
        "exit_code": EXIT_CODES[report.verdict],
        "policy": report.policy.policy,
        "alpha": report.policy.alpha,
        "baseline": {"accepted_at": report.baseline.accepted_at, "why": report.baseline.why},
        "rescored": report.rescored,
        "gates": [_line(line) for line in report.lines],
        "latency": [_time(line) for line in report.latency],
    }
    return json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _time(line: LatencyLine) -> dict[str, Any]:
    gate = line.gate
    return {
        "row": gate.row,
        "against": gate.against,
        "quantity": gate.quantity,
        "primary": gate.primary,
        "verdict": line.verdict,
        "why": line.why,
        "margin": gate.margin,
        "ratio": line.ratio,
        "low": line.low,
        "high": line.high,
    }


def _line(line: Line) -> dict[str, Any]:
    scale, loss = line.spec.scale, line.loss

    def shown(value: float | None) -> float | None:
        return None if value is None else value * scale

    return {
        "suite": line.gate.suite,
        "row": line.gate.row,
        "metric": line.spec.name,
        "judge": line.gate.judge,
        "primary": line.gate.primary,
        "verdict": line.verdict,
        "cause": line.cause,
        "why": line.why,
        "unit": line.spec.unit,
        "margin": line.gate.margin,
        "limit": line.gate.limit,
        "before": shown(line.before),
        "after": shown(line.after),
        "loss": shown(loss.loss) if loss else None,
        "low": shown(loss.low) if loss else None,
        "high": shown(loss.high) if loss else None,
        "p": line.p,
        "n_items": loss.n_items if loss else None,
        "metric_shift": shown(line.shift),
        "items_needed": line.items,
        "seeds_needed": line.seeds,
        "look": line.look.number if line.look else None,
        "looks": line.look.of if line.look else None,
        "alpha": line.look.alpha if line.look else None,
        "sounds": line.sounds,
        "sounds_alike": line.alike,
        "gaps": [{"name": gap.name, "why": gap.why} for gap in line.gaps],
    }
