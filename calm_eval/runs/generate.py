"""The generate stage: every planned sample that is not there yet, one system in memory at a time."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from calm_eval.runs.forecast import Forecast
from calm_eval.runs.pieces import sample_units
from calm_eval.runs.plan import PlannedSample, SuitePlan, log_file
from calm_eval.runs.samples import START_FAILURE, SampleStore
from calm_eval.runs.watch import Progress, Stopwatch
from calm_eval.systems.engine import Conditions, Engine, Place
from calm_eval.systems.open import open_engine
from calm_eval.systems.outcome import Outcome, SystemUnavailableError
from calm_eval.systems.protocol import Value


class GenerateStage:
    """Makes samples and stores each as soon as it is there."""

    def __init__(
        self,
        store: SampleStore,
        conditions: Conditions,
        environment: str,
        watch: Stopwatch,
        progress: Progress,
        forecast: Forecast,
    ) -> None:
        self.store = store
        self.conditions = conditions
        self.environment = environment
        self.watch = watch
        self.progress = progress
        self.forecast = forecast
        self.generated = 0
        self.unavailable: dict[str, str] = {}

    def run(self, plan: SuitePlan, *, reuse: Sequence[Path] = (), retry_failed: bool = False) -> None:
        """Make what is missing. A system that cannot start is recorded in `unavailable` and the next one goes on."""
        keys = [sample.key for sample in plan.samples]
        there = self.store.finished(keys, retry_failed=retry_failed)
        missing = [key for key in keys if key not in there]
        for other in reuse:
            taken = self.store.adopt(missing, other)
            there |= taken
            missing = [key for key in missing if key not in taken]
        waiting = [sample for sample in plan.samples if sample.key not in there]
        with self.progress.steps(f"{plan.suite.name}: generate", len(waiting)) as step:
            for name, group in itertools.groupby(waiting, key=lambda sample: sample.variant.system):
                samples = list(group)
                made: set[str] = set()
                try:
                    for key in self._system(plan, name, samples):
                        made.add(key)
                        step.done()
                except SystemUnavailableError as error:
                    self.unavailable[name] = f"{error.name}: {error}"
                    self.progress.say(f"{name}: {error.name}: {error}")
                    suite, rows = plan.suite.name, {sample.variant.name for sample in samples}
                    self.forecast.drop(("start", suite, name), *(("row", suite, row) for row in rows))
                    for sample in samples:
                        if sample.key not in made:
                            failure = START_FAILURE + error.name
                            self._put(
                                sample, Outcome(sample.item.id, sample.seed, failure=failure, text=str(error)), plan
                            )
                            step.done()

    def _put(self, sample: PlannedSample, outcome: Outcome, plan: SuitePlan) -> None:
        about = {
            "system": sample.variant.system,
            "system_fingerprint": sample.variant.fingerprint,
            "sampling": dict(sample.variant.sampling),
            "item": sample.item.id,
            "request": sample.item.request_digest(plan.suite.task),
            "environment": self.environment,
        }
        self.store.put(sample.key, outcome, about)

    def _system(self, plan: SuitePlan, name: str, samples: list[PlannedSample]) -> Iterator[str]:
        """Make the samples of one system; yields the key of each that is stored."""
        unavailable = samples[0].variant.unavailable
        if unavailable is not None:
            raise SystemUnavailableError(*unavailable)
        folder = self.store.folder
        scratch = folder / "scratch"
        log = log_file(folder, name)
        log.parent.mkdir(parents=True, exist_ok=True)
        start, started = ("start", plan.suite.name, name), False
        began = time.perf_counter()
        engine = open_engine(plan.systems[name], plan.items, Place(scratch, log), self.conditions)
        units = sample_units(plan.items)
        try:
            for (_, seed), group in itertools.groupby(samples, key=lambda one: (one.variant.name, one.seed)):
                part = {sample.item.id: sample for sample in group}
                sampling = next(iter(part.values())).variant.sampling
                for outcome in self._marked(engine, sampling, part, seed, plan.suite.task):
                    sample = part[outcome.item]
                    self._put(sample, outcome, plan)
                    self.generated += 1
                    seconds, timed = time.perf_counter() - began, True
                    if not started:
                        # All of the first wait that is not the sample's own is the system's start.
                        own, timed = min(seconds, outcome.generate_seconds or 0.0), outcome.generate_seconds is not None
                        self.forecast.did(start, seconds - own)
                        seconds, started = own, True
                    row, good = ("row", plan.suite.name, sample.variant.name), outcome.clip is not None
                    self.forecast.did(row, seconds, units=units[sample.item.id], good=good, timed=timed)
                    yield sample.key
                    began = time.perf_counter()
        finally:
            with self.watch.mark("model"):
                engine.close()
            shutil.rmtree(scratch, ignore_errors=True)
            self.forecast.keep()

    def _marked(
        self, engine: Engine, sampling: Mapping[str, Value], part: dict[str, PlannedSample], seed: int, task: str
    ) -> Iterator[Outcome]:
        """Outcomes, with the time spent waiting for the system counted as model time."""
        items = [sample.item for sample in part.values()]
        outcomes = iter(engine.generate(items, seed, task, sampling))
        while True:
            with self.watch.mark("model"):
                outcome = next(outcomes, None)
            if outcome is None:
                return
            yield outcome
