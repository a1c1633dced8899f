"""What changed between two runs: systems, items, metrics, judges, environment, each by name with before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from calm_eval.keys import SHORT
from calm_eval.runs.database import Database
from calm_eval.runs.environment import flat_environment, last_environment
from calm_eval.runs.plan_store import StoredPlan


@dataclass(frozen=True)
class Change:
    """One thing that is not alike. `before` or `after` is empty where there is no such thing."""

    what: str
    name: str
    before: str
    after: str


def changes_of_plans(before: StoredPlan, after: StoredPlan) -> list[Change]:
    """What differs in one suite, without what only the order of things makes."""
    suite = before.suite.name
    found = list(_between("suite version", {suite: str(before.suite.version)}, {suite: str(after.suite.version)}))
    found += _between("system", _systems(before), _systems(after))
    found += _between("row", _rows(before), _rows(after))
    if before.items_digest != after.items_digest:
        told = [f"{len(plan.items)} items {plan.items_digest[:SHORT]}" for plan in (before, after)]
        found.append(Change("items", suite, *told))
    if before.reference_set_digest != after.reference_set_digest:
        told = [f"{len(plan.reference_set)} clips {plan.reference_set_digest[:SHORT]}" for plan in (before, after)]
        found.append(Change("reference set", suite, *told))
    found += _between("seeds", {suite: str(before.seeds)}, {suite: str(after.seeds)})
    found += _between("metric", _metrics(before), _metrics(after))
    found += _between("judge", _judges(before), _judges(after))
    return found


def changes_of_environments(before: Database, after: Database) -> list[Change]:
    """What differs between the machines, packages and conditions of the last calls that worked on the runs."""
    return list(_between("environment", _environment(before), _environment(after)))


def _between(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys([*before, *after]):
        one, other = before.get(name, ""), after.get(name, "")
        if one != other:
            yield Change(what, name, one, other)


def _systems(plan: StoredPlan) -> dict[str, str]:
    return {row.system: row.fingerprint[:SHORT] for row in plan.variants}


def _rows(plan: StoredPlan) -> dict[str, str]:
    return {row.name: "there" for row in plan.variants}


def _metrics(plan: StoredPlan) -> dict[str, str]:
    return {f"{one.spec.name} by {one.preset}": one.fingerprint[:SHORT] for one in plan.metrics}


def _judges(plan: StoredPlan) -> dict[str, str]:
    return {one.preset: one.judge_fingerprint[:SHORT] for one in plan.metrics if one.judge_fingerprint is not None}


def _environment(database: Database) -> dict[str, str]:
    return flat_environment(last_environment(database))
