"""A run's estimates as JSON, under a schema with a version: what other programs read.

    {"schema": "calm-eval-results", "version": 1, "calm_eval": ..., "command": ..., "suites": [
        {"name", "version", "title", "task", "items_digest", "n_items", "seeds", "reference_set_digest",
         "rows": [{"name", "system", "family", "control", "sampling", "heads", "fingerprint", "unscored"}],
         "estimates": [{"row", "metric", "title", "judge", "unit", "higher_is_better", "scale", "fingerprint", "value",
                        "low", "high", "n_scored", "n_expected", "method", "invalid", "warnings", "failures",
                        "flags"}]}]}

Values are as stored, not multiplied by `scale`. What is not known is null. A version that is released stays readable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calm_eval import __version__
from calm_eval.errors import InputError
from calm_eval.reports.source import Source, opened
from calm_eval.runs.aggregate import Cell
from calm_eval.runs.order import command_of
from calm_eval.runs.run import Run

SCHEMA, VERSION = "calm-eval-results", 1
READABLE = (1,)


@dataclass(frozen=True)
class Results:
    """Results that were read back: `suites` as the schema has them."""

    version: int
    command: str
    suites: Sequence[Mapping[str, Any]]


def results(run: Run) -> dict[str, Any]:
    """The JSON values of a run, finished or not."""
    with opened(run) as (sources, database):
        command, suites = command_of(database), [_suite(source) for source in sources]
    return {"schema": SCHEMA, "version": VERSION, "calm_eval": __version__, "command": command, "suites": suites}


def read_results(path: Path) -> Results:
    """Read what `results` wrote, in any released version. Raises InputError for anything else."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: no JSON that can be read: {error}") from error
    if not isinstance(told, dict) or told.get("schema") != SCHEMA:
        raise InputError(f"{path}: not of the schema {SCHEMA}")
    if told.get("version") not in READABLE:
        known = ", ".join(map(str, READABLE))
        raise InputError(f"{path}: version {told.get('version')} of {SCHEMA}; this calm-eval reads {known}")
    return Results(told["version"], told["command"], told["suites"])


def _suite(source: Source) -> dict[str, Any]:
    plan, suite = source.plan, source.plan.suite
    rows = [
        {
            "name": row.name,
            "system": row.system,
            "family": row.family,
            "control": row.control,
            "sampling": dict(row.sampling),
            "heads": row.head_evaluations,
            "fingerprint": row.fingerprint,
            "unscored": row.unscored,
        }
        for row in plan.variants
    ]
    return {
        "name": suite.name,
        "version": suite.version,
        "title": suite.title,
        "task": suite.task,
        "items_digest": plan.items_digest,
        "n_items": len(plan.items),
        "seeds": plan.seeds,
        "reference_set_digest": plan.reference_set_digest or None,
        "rows": rows,
        "estimates": [_estimate(cell) for cell in source.cells],
    }


def _estimate(cell: Cell) -> dict[str, Any]:
    spec, estimate = cell.metric.spec, cell.estimate
    return {
        "row": cell.variant.name,
        "metric": spec.name,
        "title": cell.metric.title,
        "judge": None if cell.metric.preset == "-" else cell.metric.preset,
        "unit": spec.unit,
        "higher_is_better": spec.higher_is_better,
        "scale": spec.scale,
        "fingerprint": cell.metric.fingerprint,
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "n_scored": estimate.n_scored,
        "n_expected": estimate.n_expected,
        "method": estimate.method or None,
        "invalid": estimate.invalid,
        "warnings": list(estimate.warnings),
        "failures": dict(estimate.failures),
        "flags": dict(estimate.flags),
    }
