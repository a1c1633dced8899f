"""A plan and its cells, made by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from calm_eval.metrics import METRICS
from calm_eval.metrics.bound import BoundMetric
from calm_eval.runs.aggregate import METHOD, Cell
from calm_eval.runs.plan_store import StoredPlan
from calm_eval.runs.rows import Variant
from calm_eval.specs.suite import MetricUse, SuiteSpec
from calm_eval.stats.estimate import Estimate
from calm_eval.stats.paired import PairedDifference


@pytest.fixture
def variant() -> Callable[..., Variant]:
    def make(name: str, *, control: bool = False) -> Variant:
        return Variant(name, name.split()[0], "f" * 64, {}, control, "control" if control else "other")

    return make


@pytest.fixture
def cell() -> Callable[..., Cell]:
    def make(
        row: Variant,
        metric: str,
        value: float | None,
        low: float | None = None,
        high: float | None = None,
        *,
        scored: int = 40,
        failures: Mapping[str, int] | None = None,
        flags: Mapping[str, int] | None = None,
    ) -> Cell:
        estimate = Estimate(value, low, high, scored, 40, scored, 1, METHOD, failures or {}, flags or {})
        return Cell(row, BoundMetric(MetricUse(name=metric), METRICS.load(metric).spec, None, metric, None), estimate)

    return make


@pytest.fixture
def plan() -> Callable[..., StoredPlan]:
    def make(*rows: Variant) -> StoredPlan:
        suite = SuiteSpec.model_validate(
            {"name": "t", "version": 1, "task": "tts", "title": "T", "items": {"manifest": "i"}, "metrics": ["wer"]}
        )
        return StoredPlan(suite, {}, "d" * 64, 40, 1, [], list(rows), [])

    return make


class HandPairs:
    """Told p-values and differences, by metric and the two rows; all other pairs are far apart."""

    def __init__(self, told: Mapping[tuple[str, str, str], PairedDifference | None]) -> None:
        self._told = told
        self.values: dict[str, dict[str, float]] = {}

    def compare(self, bound: BoundMetric, first: str, second: str) -> PairedDifference | None:
        if bound.spec.kind == "set":
            return None
        return self._told.get((bound.spec.name, first, second), PairedDifference(1.0, 0.9, 1.1, 0.0001, 40))

    def p(self, bound: BoundMetric, first: str, second: str) -> float | None:
        found = self.compare(bound, first, second)
        return None if found is None else found.p

    def by_item(self, bound: BoundMetric) -> dict[str, dict[str, float]]:
        return self.values


@pytest.fixture
def pairs() -> Callable[..., HandPairs]:
    def make(told: Mapping[tuple[str, str, str], PairedDifference | None] | None = None) -> HandPairs:
        return HandPairs(told or {})

    return make
