"""The fingerprint of a number: metric, judge, weights and preprocessing; never library versions or machines."""

from __future__ import annotations

from typing import Any

from calm_eval.audio.resample import RESAMPLER
from calm_eval.judges.protocol import JudgeInfo
from calm_eval.keys import digest
from calm_eval.metrics.protocol import MetricSpec


def judge_identity(info: JudgeInfo) -> dict[str, Any]:
    """What a judge's answers depend on, as JSON values."""
    return {
        "name": info.name,
        "version": info.version,
        "weights": dict(info.weights),
        "parameters": dict(info.parameters),
        "sample_rate": info.sample_rate,
        "preprocessing": dict(RESAMPLER),
    }


def judge_fingerprint(info: JudgeInfo) -> str:
    """Sha256 of a judge's identity."""
    return digest(judge_identity(info))


def metric_identity(spec: MetricSpec, judge: JudgeInfo | None) -> dict[str, Any]:
    """What a metric's values depend on, as JSON values."""
    return {
        "metric": spec.name,
        "version": spec.version,
        "kind": spec.kind,
        "parameters": dict(spec.parameters),
        "judged": list(spec.judged) if judge else [],
        "judge": judge_identity(judge) if judge else None,
    }
