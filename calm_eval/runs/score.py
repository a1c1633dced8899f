"""The score stage: judgements on every audio that needs one, one judge in memory at a time; then per-item values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from calm_eval.runs.judgements import JUDGE_ERROR, JudgementStore
from calm_eval.runs.plan_store import StoredPlan, StoredSample
from calm_eval.runs.samples import SampleStore
from calm_eval.runs.values import value_inputs
from calm_eval.runs.watch import Progress, Stopwatch

BATCH = 8

Wanted = tuple[str, Path | None]
"""An audio to judge: its identity, and its path (None: in the run's own store)."""


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
        self.judgements.forget_errors()
        judges: dict[str, list[BoundMetric]] = {}
        for bound in metrics:
            if bound.judge_fingerprint is not None:
                judges.setdefault(bound.judge_fingerprint, []).append(bound)
        gone: dict[str, str] = {}
        for fingerprint, users in judges.items():
            wanted = self._wanted(plan, users)
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
            elif bound.preset not in self.unavailable and any(row.measured_by(bound.spec) for row in plan.variants):
                self.unavailable[bound.preset] = bound.unavailable
                self.progress.say(f"judge {bound.preset} is not available: {bound.unavailable}")
        return metrics

    def _wanted(self, plan: StoredPlan, users: Sequence[BoundMetric]) -> dict[str, Path | None]:
        """Identity of each audio that is to be judged for these metrics, with its path (None: in the run's store).

        Nothing is heard for a row whose quality is not scored.
        """
        parts: dict[str, set[Judged]] = {
            row.name: {part for one in users if row.measured_by(one.spec) for part in one.spec.judged}
            for row in plan.variants
        }
        wanted: dict[str, Path | None] = {}
        for sample in plan.samples:
            if "sample" not in parts[sample.variant]:
                continue
            row = self.samples.get(sample.key)
            if row is not None and row["audio"] is not None:
                wanted[row["audio"]] = None
        of_items = set().union(*parts.values())
        for item in plan.items.values():
            for part, ref in (("prompt", item.prompt), ("reference", item.reference)):
                if part in of_items and ref is not None:
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
        parts = [waiting[start : start + BATCH] for start in range(0, len(waiting), BATCH)]
        try:
            # The next batch is read and resampled while the judge listens to this one.
            with (
                ThreadPoolExecutor(max_workers=1) as reader,
                self.progress.steps(f"{plan.suite.name}: {info.name}", len(waiting)) as step,
            ):
                ahead = reader.submit(self._read, parts[0], info.sample_rate)
                for place, part in enumerate(parts):
                    heard = ahead.result()
                    if place + 1 < len(parts):
                        ahead = reader.submit(self._read, parts[place + 1], info.sample_rate)
                    judged = list(self._batch(judge, info, part, heard))
                    self.judgements.put(fingerprint, judged, self.environment)
                    self.judged += len(judged)
                    step.done(len(part))
        finally:
            judge.close()

    def _read(self, part: Sequence[Wanted], sample_rate: int) -> list[Mono | AudioError]:
        """Each audio at the judge's rate, or what is wrong with it. Runs beside the judge: touches files only."""
        heard: list[Mono | AudioError] = []
        for key, path in part:
            try:
                clip = self.samples.load(key) if path is None else read_sound(path)
            except AudioError as error:
                heard.append(error)
            else:
                heard.append(to_mono(clip, sample_rate))
        return heard

    def _batch(
        self, judge: Judge, info: JudgeInfo, part: Sequence[Wanted], heard: Sequence[Mono | AudioError]
    ) -> Iterator[tuple[str, Judgement]]:
        sounds: dict[str, Mono] = {}
        for (key, path), sound in zip(part, heard, strict=True):
            if not isinstance(sound, AudioError):
                sounds[key] = sound
            elif path is not None:
                yield key, Judgement(refused=sound.name)
            else:
                self.samples.forget_audio(key)
                raise StoreError(
                    f"{self.samples.folder}: {sound}; its row is dropped: run the same command again"
                ) from sound
        if sounds:
            with self.watch.mark("judge"):
                answers = self._ask(judge, info, list(sounds.values()))
            yield from zip(sounds, answers, strict=True)

    def _ask(self, judge: Judge, info: JudgeInfo, sounds: list[Mono]) -> list[Judgement]:
        """One answer a sound. A sound on which the judge fails is asked alone, and then refused as `error`."""
        try:
            answers = judge.judge(sounds)
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a judge raises on one sound must not cost the others
            if len(sounds) > 1:
                return [answer for sound in sounds for answer in self._ask(judge, info, [sound])]
            text = f"{type(error).__name__}: {error}"
            self.progress.say(f"judge {info.name} failed on one audio: {text}")
            return [Judgement(refused=JUDGE_ERROR, notes={"error": text})]
        if len(answers) != len(sounds):
            raise UnavailableError(f"judge {info.name} gave {len(answers)} answers to {len(sounds)} audios")
        return answers

    def _measure(self, plan: StoredPlan, bound: BoundMetric) -> None:
        """Values of every planned sample that has none yet for this metric and these inputs."""
        connection = self.database.connection
        metric: Metric = METRICS.load(bound.use.name)
        rows = connection.execute("SELECT sample, inputs FROM item_values WHERE metric = ?", [bound.fingerprint])
        known = {(row["sample"], row["inputs"]) for row in rows}
        measured = {row.name for row in plan.variants if row.measured_by(bound.spec)}
        fresh = []
        for sample in plan.samples:
            if sample.variant not in measured:
                continue
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
