"""Run the self-tests of everything that is registered."""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Iterator, Sequence
from typing import Any

from calm_eval.errors import CalmEvalError
from calm_eval.judges import JUDGES
from calm_eval.judges.readiness import readiness
from calm_eval.metrics import METRICS
from calm_eval.registry import Registry
from calm_eval.selftest.check import Check, Golden, Outcome
from calm_eval.selftest.signals import signal

NOT_HERE = "not here"


def selftest(*, fetch: bool = False, threads: int = 1) -> Iterator[Outcome]:
    """Every closed form of every metric, then every golden of every judge that is here, one judge loaded at a time.

    Weights that are not in the cache are fetched only with `fetch`; otherwise their judge is named as not here.
    """
    for module in _modules(METRICS):
        for check in getattr(module, "CHECKS", ()):
            yield _checked(module.__name__.rpartition(".")[2], check)
    by_judge: dict[str, list[Golden]] = {}
    for module in _modules(JUDGES):
        for golden in getattr(module, "GOLDENS", ()):
            by_judge.setdefault(golden.judge, []).append(golden)
    for name, goldens in by_judge.items():
        yield from _heard(name, goldens, fetch, threads)


def _modules(registry: Registry) -> list[Any]:
    """The modules behind a registry, each once, as far as they can be imported here."""
    found = []
    for name in dict.fromkeys(target.partition(":")[0] for target in registry.targets().values()):
        try:
            found.append(importlib.import_module(name))
        except (ImportError, OSError, RuntimeError):
            # A judge whose package is missing is listed by `calm-eval doctor`.
            continue
    return found


def _checked(subject: str, check: Check) -> Outcome:
    try:
        got = check.got()
    except Exception as error:  # noqa: BLE001 - whatever a self-test raises is its result
        return Outcome(subject, f"{check.title}: {type(error).__name__}: {error}", "FAIL")
    good = math.isfinite(got) and abs(got - check.expected) <= check.tolerance
    return Outcome(subject, check.title, "ok" if good else "FAIL", got, check.expected, check.tolerance)


def _heard(name: str, goldens: Sequence[Golden], fetch: bool, threads: int) -> Iterator[Outcome]:
    state = readiness(name)
    if not (state.ready or (fetch and state.fetchable)):
        yield Outcome(name, f"{len(goldens)} goldens", f"{NOT_HERE}: {state.told}")
        return
    try:
        judge = JUDGES.load(name)(**goldens[0].options)
        judge.load("cpu", threads)
    except CalmEvalError as error:
        yield Outcome(name, f"{len(goldens)} goldens", f"{NOT_HERE}: {error}")
        return
    try:
        for golden in goldens:
            if golden.text is not None:
                (judgement,) = judge.judge_texts([golden.text])
            else:
                assert golden.signal is not None
                (judgement,) = judge.judge([signal(golden.signal, judge.info.sample_rate)])
            figure = functools.partial(golden.read, judgement)
            about = Check(golden.title, figure, golden.expected, golden.tolerance)
            yield _checked(name, about)
    finally:
        judge.close()


def told(outcomes: Sequence[Outcome]) -> str:
    """A line for each self-test and a last one with the counts."""
    lines = []
    for one in outcomes:
        if one.got is not None and one.expected is not None and one.tolerance is not None:
            figures = f"{one.got:.6g}, expected {one.expected:.6g} ± {one.tolerance:.1g}"
            lines.append(f"{one.state:<5} {one.subject}: {one.title}: {figures}")
        else:
            lines.append(f"{'FAIL' if one.failed else '-':<5} {one.subject}: {one.title if one.failed else one.state}")
    failed = sum(one.failed for one in outcomes)
    away = sum(one.state.startswith(NOT_HERE) for one in outcomes)
    lines.append(f"{len(outcomes) - away} self-tests, {failed} failed; {away} judges not here")
    return "\n".join(lines)
