"""Asking one judge about everything that it has not judged yet; the next batch is read while it works on this one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from calm_eval.audio.read import AudioError, read_sound
from calm_eval.audio.resample import to_mono
from calm_eval.errors import StoreError, UnavailableError
from calm_eval.judges.protocol import Judge, JudgeInfo, Judgement, Mono, TextJudge
from calm_eval.metrics.bound import BoundMetric, judge_use, make_judge
from calm_eval.metrics.identity import judge_identity
from calm_eval.runs.database import Database
from calm_eval.runs.judgements import JUDGE_ERROR, JudgementStore
from calm_eval.runs.samples import SampleStore
from calm_eval.runs.watch import Progress, Stopwatch

BATCH = 8


@dataclass(frozen=True)
class Question:
    """What a judge is asked about: the audio of `path`, the run's own audio (neither given), or a `text`."""

    path: Path | None = None
    text: str | None = None


class Judging:
    """Runs judges, one in memory at a time, and stores their judgements. `judged` counts them."""

    def __init__(
        self,
        database: Database,
        samples: SampleStore,
        judgements: JudgementStore,
        environment: str,
        device: str,
        threads: int,
        watch: Stopwatch,
        progress: Progress,
    ) -> None:
        self.database = database
        self.samples = samples
        self.judgements = judgements
        self.environment = environment
        self.device = device
        self.threads = threads
        self.watch = watch
        self.progress = progress
        self.judged = 0

    def run(self, title: str, bound: BoundMetric, wanted: Mapping[str, Question]) -> None:
        """Judge what is not judged yet, by the judge of `bound`. Raises UnavailableError when it cannot be had."""
        info, fingerprint = bound.info, bound.judge_fingerprint
        assert info is not None
        assert fingerprint is not None
        known = self.judgements.known(fingerprint)
        waiting = [(key, question) for key, question in wanted.items() if key not in known]
        if not waiting:
            return
        judge = make_judge(judge_use(bound.use, bound.spec))
        with self.database.connection:
            about = [fingerprint, json.dumps(judge_identity(info))]
            self.database.connection.execute("INSERT OR REPLACE INTO judges VALUES (?, ?)", about)
        with self.watch.mark("judge"):
            judge.load(self.device, self.threads)
        # One kind of question a batch.
        waiting.sort(key=lambda one: one[1].text is not None)
        parts = [waiting[start : start + BATCH] for start in range(0, len(waiting), BATCH)]
        try:
            with (
                ThreadPoolExecutor(max_workers=1) as reader,
                self.progress.steps(f"{title}: {info.name}", len(waiting)) as step,
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

    def _read(self, part: Sequence[tuple[str, Question]], sample_rate: int) -> list[Mono | str | AudioError]:
        """Each text, or audio at the judge's rate, or what is wrong with it. Runs beside the judge: files only."""
        read: list[Mono | str | AudioError] = []
        for key, question in part:
            if question.text is not None:
                read.append(question.text)
                continue
            try:
                clip = self.samples.load(key) if question.path is None else read_sound(question.path)
            except AudioError as error:
                read.append(error)
            else:
                read.append(to_mono(clip, sample_rate))
        return read

    def _batch(
        self,
        judge: Judge,
        info: JudgeInfo,
        part: Sequence[tuple[str, Question]],
        read: Sequence[Mono | str | AudioError],
    ) -> Iterator[tuple[str, Judgement]]:
        sounds: dict[str, Mono] = {}
        texts: dict[str, str] = {}
        for (key, question), one in zip(part, read, strict=True):
            if isinstance(one, str):
                texts[key] = one
            elif not isinstance(one, AudioError):
                sounds[key] = one
            elif question.path is not None:
                yield key, Judgement(refused=one.name)
            else:
                self.samples.forget_audio(key)
                raise StoreError(
                    f"{self.samples.folder}: {one}; its row is dropped: run the same command again"
                ) from one
        if sounds:
            with self.watch.mark("judge"):
                answers = self._ask(judge, info, list(sounds.values()))
            yield from zip(sounds, answers, strict=True)
        if texts:
            with self.watch.mark("judge"):
                yield from zip(texts, cast(TextJudge, judge).judge_texts(list(texts.values())), strict=True)

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
