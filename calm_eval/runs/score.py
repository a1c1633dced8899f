"""The score stage: judgements on every audio that needs one, one judge in memory at a time; then per-item values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from calm_eval.audio.read import AudioError, read_sound
from calm_eval.audio.resample import to_mono
from calm_eval.errors import StoreError, UnavailableError
from calm_eval.judges.protocol import Judge, JudgeInfo, Judgement, Mono
from calm_eval.metrics import METRICS
from calm_eval.metrics.bound import BoundMetric, bind, judge_use, make_judge
from calm_eval.metrics.identity import judge_identity, metric_identity
from calm_eval.metrics.protocol import Judged, Metric, SampleView
from calm_eval.runs.database import Database
from calm_eval.runs.judgements import JudgementStore
from calm_eval.runs.plan_store import StoredPlan, StoredSample
from calm_eval.runs.samples import SampleStore
from calm_eval.runs.values import value_inputs
from calm_eval.runs.watch import Progress, Stopwatch

BATCH = 8


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
        self.environment = environment
        self.device = device
        self.threads = threads
        self.watch = watch
        self.progress = progress
        self.judged = 0
        self.unavailable: dict[str, str] = {}

    def run(self, plan: StoredPlan) -> list[BoundMetric]:
        """Complete the judgements and values of one suite by today's metrics and judges, which are returned."""
        metrics = [bind(one.use) for one in plan.metrics]
        judges: dict[str, list[BoundMetric]] = {}
        for bound in metrics:
            if bound.judge_fingerprint is not None:
                judges.setdefault(bound.judge_fingerprint, []).append(bound)
        gone: dict[str, str] = {}
        for fingerprint, users in judges.items():
            wanted = self._wanted(plan, {part for one in users for part in one.spec.judged})
            known = self.judgements.known(fingerprint)
            missing = {key: path for key, path in wanted.items() if key not in known}
            if missing:
                try:
                    self._judge(plan, users[0], missing)
                except UnavailableError as error:
                    gone[fingerprint] = str(error)
        metrics = [
            replace(one, unavailable=gone[one.judge_fingerprint]) if one.judge_fingerprint in gone else one
            for one in metrics
        ]
        for bound in metrics:
            if bound.unavailable is None:
                self._measure(plan, bound)
            elif bound.preset not in self.unavailable:
                self.unavailable[bound.preset] = bound.unavailable
                self.progress.say(f"judge {bound.preset} is not available: {bound.unavailable}")
        return metrics

    def _wanted(self, plan: StoredPlan, parts: set[Judged]) -> dict[str, Path | None]:
        """Identity of each audio to judge, with its path (None: in the run's own store)."""
        wanted: dict[str, Path | None] = {}
        for sample in plan.samples:
            row = self.samples.get(sample.key)
            if "sample" in parts and row is not None and row["audio"] is not None:
                wanted[row["audio"]] = None
        for item in plan.items.values():
            for part, ref in (("prompt", item.prompt), ("reference", item.reference)):
                if part in parts and ref is not None:
                    wanted.setdefault(ref.identity, ref.path)
        return wanted

    def _judge(self, plan: StoredPlan, bound: BoundMetric, missing: dict[str, Path | None]) -> None:
        info, fingerprint = bound.info, bound.judge_fingerprint
        assert info is not None
        assert fingerprint is not None
        judge = make_judge(judge_use(bound.use, bound.spec))
        with self.database.connection:
            about = [fingerprint, json.dumps(judge_identity(info))]
            self.database.connection.execute("INSERT OR REPLACE INTO judges VALUES (?, ?)", about)
        with self.watch.mark("judge"):
            judge.load(self.device, self.threads)
        waiting = list(missing.items())
        try:
            with self.progress.steps(f"{plan.suite.name}: {info.name}", len(waiting)) as step:
                for start in range(0, len(waiting), BATCH):
                    part = waiting[start : start + BATCH]
                    judged = list(self._batch(judge, info, part))
                    self.judgements.put(fingerprint, judged, self.environment)
                    self.judged += len(judged)
                    step.done(len(part))
        finally:
            judge.close()

    def _batch(
        self, judge: Judge, info: JudgeInfo, part: Sequence[tuple[str, Path | None]]
    ) -> Iterator[tuple[str, Judgement]]:
        heard: dict[str, Mono] = {}
        for key, path in part:
            try:
                clip = self.samples.load(key) if path is None else read_sound(path)
            except AudioError as error:
                if path is None:
                    self.samples.forget_audio(key)
                    raise StoreError(
                        f"{self.samples.folder}: {error}; its row is dropped: run the same command again"
                    ) from error
                yield key, Judgement(refused=error.name)
                continue
            heard[key] = to_mono(clip, info.sample_rate)
        if heard:
            with self.watch.mark("judge"):
                answers = judge.judge(list(heard.values()))
            if len(answers) != len(heard):
                raise UnavailableError(f"judge {info.name} gave {len(answers)} answers to {len(heard)} audios")
            yield from zip(heard, answers, strict=True)

    def _measure(self, plan: StoredPlan, bound: BoundMetric) -> None:
        """Values of every planned sample that has none yet for this metric and these inputs."""
        connection = self.database.connection
        metric: Metric = METRICS.load(bound.use.name)
        rows = connection.execute("SELECT sample, inputs FROM item_values WHERE metric = ?", [bound.fingerprint])
        known = {(row["sample"], row["inputs"]) for row in rows}
        fresh = []
        for sample in plan.samples:
            inputs = value_inputs(plan, sample, bound.spec)
            if (sample.key, inputs) in known:
                continue
            view = self._view(plan, sample, bound)
            if view is None:
                continue
            value = metric.measure(view)
            parts = json.dumps(dict(value.parts), sort_keys=True)
            fresh.append(
                (
                    sample.key,
                    bound.fingerprint,
                    inputs,
                    value.numerator,
                    value.denominator,
                    parts,
                    value.refused,
                    json.dumps(value.flags),
                )
            )
        with connection:
            connection.executemany("INSERT OR REPLACE INTO item_values VALUES (?, ?, ?, ?, ?, ?, ?, ?)", fresh)
            about = {**metric_identity(bound.spec, bound.info), "preset": bound.preset}
            connection.execute("INSERT OR REPLACE INTO metrics VALUES (?, ?)", [bound.fingerprint, json.dumps(about)])

    def _view(self, plan: StoredPlan, sample: StoredSample, bound: BoundMetric) -> SampleView | None:
        row = self.samples.get(sample.key)
        if row is None:
            return None
        item = plan.items[sample.item]
        heard: dict[Judged, Judgement] = {}
        if bound.judge_fingerprint is not None:
            refs = {"prompt": item.prompt, "reference": item.reference}
            for part in bound.spec.judged:
                ref = refs.get(part)
                key = row["audio"] if part == "sample" else ref.identity if ref else None
                judgement = self.judgements.get(key, bound.judge_fingerprint) if key else None
                if judgement is not None:
                    heard[part] = judgement
            if row["audio"] is not None and "sample" in bound.spec.judged and "sample" not in heard:
                return None
        return SampleView(
            failure=row["failure"],
            flags=tuple(json.loads(row["flags"])),
            text=item.text,
            seconds=row["seconds"],
            generate_seconds=row["generate_seconds"],
            first_audio_seconds=row["first_audio_seconds"],
            judgements=heard,
        )
