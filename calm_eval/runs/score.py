"""The score stage: judgements on everything that needs one, one judge in memory at a time; then values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from calm_eval.errors import UnavailableError
from calm_eval.metrics.bound import BoundMetric, bind
from calm_eval.metrics.protocol import Judged
from calm_eval.runs.database import Database
from calm_eval.runs.drift import measure_drift, window_questions
from calm_eval.runs.judgements import JudgementStore
from calm_eval.runs.judging import Judging, Question
from calm_eval.runs.measure import measure
from calm_eval.runs.plan_store import StoredPlan
from calm_eval.runs.samples import SampleStore
from calm_eval.runs.views import OF_SAMPLE, PAIRED, question_keys, text_key
from calm_eval.runs.watch import Progress, Stopwatch


class ScoreStage:
    """Judges and measures what is there; `unavailable` names judges that could not be had."""

    def __init__(
        self,
        database: Database,
        samples: SampleStore,
        environment: str,
        device: str,
        threads: int,
        watch: Stopwatch,
        progress: Progress,
    ) -> None:
        self.database = database
        self.samples = samples
        self.judgements = JudgementStore(database)
        self.judging = Judging(database, samples, self.judgements, environment, device, threads, watch, progress)
        self.progress = progress
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
        for fingerprint, users in judges.items():
            try:
                wanted = self._wanted(plan, users) | window_questions(plan, self.samples, users)
                self.judging.run(plan.suite.name, users[0], wanted)
            except UnavailableError as error:
                gone[fingerprint] = str(error)
        metrics = [
            replace(one, unavailable=gone[one.judge_fingerprint]) if one.judge_fingerprint in gone else one
            for one in metrics
        ]
        for bound in metrics:
            if bound.unavailable is None:
                measure(self.database, self.samples, self.judgements, plan, bound)
                if bound.use.drift is not None:
                    measure_drift(self.database, self.samples, self.judgements, plan, bound)
            elif bound.preset not in self.unavailable and any(row.measured_by(bound.spec) for row in plan.variants):
                self.unavailable[bound.preset] = bound.unavailable
                self.progress.say(f"judge {bound.preset} is not available: {bound.unavailable}")
        return metrics

    def _wanted(self, plan: StoredPlan, users: Sequence[BoundMetric]) -> dict[str, Question]:
        """What is to be judged for these metrics, by the identity of the audio or text.

        Nothing is heard for a row whose quality is not scored.
        """
        parts: dict[str, set[Judged]] = {
            row.name: {part for one in users if row.measured_by(one.spec) for part in one.spec.judged}
            for row in plan.variants
        }
        wanted: dict[str, Question] = {}
        for sample in plan.samples:
            row = self.samples.get(sample.key) if parts[sample.variant] & set(OF_SAMPLE) else None
            if row is not None and row["audio"] is not None:
                item = plan.items[sample.item]
                keys = question_keys(item, row["audio"])
                for part in parts[sample.variant] & set(OF_SAMPLE):
                    key, beside = keys[part], item.audios.get(PAIRED.get(part, ""))
                    if key is not None:
                        wanted[key] = Question(audio=row["audio"], path=beside.path if beside else None)
        of_items = set().union(*parts.values())
        for item in plan.items.values():
            for name, ref in item.audios.items():
                if name in of_items and ref is not None:
                    wanted.setdefault(ref.identity, Question(path=ref.path))
            if "text" in of_items and item.text is not None:
                wanted.setdefault(text_key(item.text), Question(text=item.text))
        if "reference_set" in of_items:
            for ref in plan.reference_set.values():
                wanted.setdefault(ref.identity, Question(path=ref.path))
        return wanted
