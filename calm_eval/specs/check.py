"""`calm-eval validate FILE`: read a suite, system, layout or policy file as a run would, before any compute."""

from __future__ import annotations

from pathlib import Path

from calm_eval.errors import InputError
from calm_eval.specs.latency import load_latency_suite
from calm_eval.specs.layout import load_layout
from calm_eval.specs.policy import load_policy
from calm_eval.specs.suite import load_suite
from calm_eval.specs.system import beside, load_system
from calm_eval.specs.yaml_lines import read_yaml

_SUITE_KEYS = {"task", "items", "metrics"}


def check_file(path: Path) -> str:
    """Say that a file is good. Raises InputError naming file, line and what is allowed."""
    data = read_yaml(path).data
    if not isinstance(data, dict):
        raise InputError(f"{path}:1: expected 'key: value' lines of a suite or a system")
    if data.get("kind") == "latency":
        timed = load_latency_suite(path)
        for row in timed.rows:
            load_system(beside(path, row.system))
        return f"{path}: latency suite '{timed.name}' version {timed.version} is valid"
    if "layout" in data:
        return f"{path}: layout '{load_layout(str(path)).layout}' is valid"
    if "policy" in data:
        return f"{path}: policy '{load_policy(path).policy}' is valid"
    if _SUITE_KEYS & set(data):
        from calm_eval.judges import JUDGES
        from calm_eval.metrics import METRICS

        suite = load_suite(str(path)).spec
        for use in suite.metric_uses():
            METRICS.target(use.name)
            if use.judge is not None:
                JUDGES.target(use.judge.name)
        for name in (use.name for use in suite.system_uses()):
            load_system(beside(path, name))
        return f"{path}: suite '{suite.name}' version {suite.version} is valid"
    system = load_system(str(path)).spec
    return f"{path}: system '{system.name}' is valid"
