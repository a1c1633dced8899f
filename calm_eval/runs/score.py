"""The score stage: judgements on everything that needs one, one judge in memory at a time; then values."""

from __future__ import annotations

import time
from dataclasses import replace

from calm_eval.errors import UnavailableError
from calm_eval.metrics.bound import BoundMetric, bind
from calm_eval.runs.database import Database
from calm_eval.runs.drift import measure_drift, window_questions
from calm_eval.runs.forecast import Forecast
from calm_eval.runs.judgements import JudgementStore
from calm_eval.runs.judging import Judging
from calm_eval.runs.measure import measure
from calm_eval.runs.plan_store import StoredPlan
from calm_eval.runs.questions import made_audios, questions
from calm_eval.runs.samples import SampleStore
from calm_eval.runs.watch import Progress, Stopwatch
from calm_eval.systems.engine import Conditions


class ScoreStage:
    """Judges and measures what is there; `unavailable` names judges that could not be had."""

    def __init__(
        self,
        database: Database,
        samples: SampleStore,
        environment: str,
        conditions: Conditions,
        watch: Stopwatch,
        progress: Progress,
        forecast: Forecast,
    ) -> None:
        self.database = database
        self.samples = samples
        self.judgements = JudgementStore(database)
        self.judging = Judging(database, samples, self.judgements, environment, conditions, watch, progress, forecast)
        self.progress = progress
        self.forecast = forecast
        self.unavailable: dict[str, str] = {}

    @property
    def judged(self) -> int:
        """How many judgements were made."""
        return self.judging.judged

    def run(self, plan: StoredPlan) -> list[BoundMetric]:
        """Complete the judgements and values of one suite by today's metrics and judges, which are returned."""
        metrics = [bind(one.use) for one in plan.metrics]
        self.judgements.forget_errors()
        judges: dict[str, list[BoundMetric]] = {}
        for bound in metrics:
            if bound.judge_fingerprint is not None:
                judges.setdefault(bound.judge_fingerprint, []).append(bound)
        gone: dict[str, str] = {}
        made = made_audios(self.database)
        for fingerprint, users in judges.items():
            try:
                wanted = questions(plan, made, users) | window_questions(plan, self.samples, users)
                self.judging.run(plan.suite.name, users[0], wanted)
            except UnavailableError as error:
                gone[fingerprint] = str(error)
                suite = plan.suite.name
                self.forecast.drop(("load", suite, fingerprint), ("judge", suite, fingerprint))
            self.forecast.keep()
        metrics = [
            replace(one, unavailable=gone[one.judge_fingerprint]) if one.judge_fingerprint in gone else one
            for one in metrics
        ]
        for bound in metrics:
            piece = ("values", plan.suite.name, bound.fingerprint)
            if bound.unavailable is None:
                began = time.perf_counter()
                measure(self.database, self.samples, self.judgements, plan, bound)
                if bound.use.drift is not None:
                    measure_drift(self.database, self.samples, self.judgements, plan, bound)
                self.forecast.finished(piece, time.perf_counter() - began)
                continue
            self.forecast.drop(piece)
            if bound.preset not in self.unavailable and any(row.measured_by(bound.spec) for row in plan.variants):
                self.unavailable[bound.preset] = bound.unavailable
                self.progress.say(f"judge {bound.preset} is not available: {bound.unavailable}")
        return metrics
