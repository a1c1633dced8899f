"""What a suite lacks here, in words: told before anything is planned, to someone who may have nothing yet."""

from __future__ import annotations

from calm_eval.data.datasets.root import missing_parts, told_missing
from calm_eval.errors import CalmEvalError
from calm_eval.judges.readiness import readiness
from calm_eval.metrics.bound import judge_use, make_metric
from calm_eval.specs.suite import JudgeUse, LoadedSuite


def judges_of(suite: LoadedSuite) -> list[JudgeUse]:
    """Every judge that the metrics of a suite lean on, each once, in the order of the metrics.

    Raises InputError on unknown names, UnavailableError when a metric's package cannot be imported.
    """
    found: list[JudgeUse] = []
    for use in suite.spec.metric_uses():
        spec = make_metric(use).spec
        if use.judge is None and spec.judge is None:
            continue
        judge = judge_use(use, spec)
        if judge not in found:
            found.append(judge)
    return found


def what_lacks(suite: LoadedSuite) -> str:
    """Empty where all public data of the suite is there; else what to get, and the state of each of its judges."""
    data = suite.spec.data
    missing = missing_parts(data) if data is not None else []
    if data is None or not missing:
        return ""
    lines = [told_missing(suite.spec.name, data, missing), "its judges:"]
    for use in judges_of(suite):
        options = "".join(f" {key}={value}" for key, value in use.options.items())
        try:
            told = readiness(use.name, use.options).told
        except CalmEvalError as error:
            told = str(error)
        lines.append(f"  {use.name}{options}: {told}")
    return "\n".join(lines)
