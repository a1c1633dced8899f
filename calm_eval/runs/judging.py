"""Asking one judge about everything that it has not judged yet; the next batch is read while it works on this one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar, cast

from calm_eval.audio.read import AudioError, read_sound
from calm_eval.audio.resample import to_mono
from calm_eval.errors import StoreError, UnavailableError
from calm_eval.judges.protocol import Judge, JudgeInfo, Judgement, Mono, PairJudge, TextJudge
from calm_eval.metrics.bound import BoundMetric, judge_use, make_judge
from calm_eval.metrics.identity import judge_identity
from calm_eval.runs.database import Database
from calm_eval.runs.forecast import Forecast
from calm_eval.runs.judgements import JUDGE_ERROR, JudgementStore
from calm_eval.runs.samples import SampleStore
from calm_eval.runs.watch import Progress, Stopwatch
from calm_eval.systems.engine import Conditions

BATCH = 8
LOADERS = 2
"""Threads that read and resample ahead; both let go of the interpreter while they work."""

T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """What a judge is asked about: the audio of `path`, a `text`, or the run's own `audio`, perhaps beside `path`.

    `window`: only these samples of the audio, counted at the judge's rate.
    """

    audio: str | None = None
    path: Path | None = None
    text: str | None = None
    window: tuple[int, int] | None = None


Heard = Mono | str | tuple[Mono, Mono] | AudioError
"""What was read for a question, or what is wrong with it."""


class Judging:
    """Runs judges, one in memory at a time, and stores their judgements. `judged` counts them."""

    def __init__(
        self,
        database: Database,
        samples: SampleStore,
        judgements: JudgementStore,
        environment: str,
        conditions: Conditions,
        watch: Stopwatch,
        progress: Progress,
        forecast: Forecast,
    ) -> None:
        self.database = database
        self.samples = samples
        self.judgements = judgements
        self.environment = environment
        self.conditions = conditions
        self.watch = watch
        self.progress = progress
        self.forecast = forecast
        self.judged = 0
        self.lost: list[str] = []

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
        began = time.perf_counter()
        with self.watch.mark("judge"):
            judge.load(self.conditions.device, self.conditions.threads)
        began, loaded = time.perf_counter(), time.perf_counter() - began
        self.forecast.did(("load", title, fingerprint), loaded)
        parts = [waiting[start : start + BATCH] for start in range(0, len(waiting), BATCH)]
        try:
            with (
                ThreadPoolExecutor(max_workers=LOADERS) as reader,
                self.progress.steps(f"{title}: {info.name}", len(waiting)) as step,
            ):
                read = partial(self._read, sample_rate=info.sample_rate)
                ahead = [reader.submit(read, question) for _, question in parts[0]]
                for place, part in enumerate(parts):
                    heard = [one.result() for one in ahead]
                    if place + 1 < len(parts):
                        ahead = [reader.submit(read, question) for _, question in parts[place + 1]]
                    judged = list(self._batch(judge, info, part, heard))
                    self.judgements.put(fingerprint, judged, self.environment)
                    self.judged += len(judged)
                    seconds, began = time.perf_counter() - began, time.perf_counter()
                    self.forecast.did(("judge", title, fingerprint), seconds, units=len(part), count=len(part))
                    step.done(len(part))
        finally:
            judge.close()

    def _read(self, question: Question, sample_rate: int) -> Heard:
        """What a question is about, audio at the judge's rate. Runs beside the judge: touches files only."""
        if question.text is not None:
            return question.text
        try:
            sounds = [to_mono(self.samples.load(question.audio), sample_rate)] if question.audio is not None else []
        except AudioError as error:
            self.lost.append(str(question.audio))
            return error
        try:
            sounds += [to_mono(read_sound(question.path), sample_rate)] if question.path is not None else []
        except AudioError as error:
            return error
        if question.window is not None:
            return sounds[0][slice(*question.window)]
        return sounds[0] if len(sounds) == 1 else (sounds[0], sounds[1])

    def _batch(
        self, judge: Judge, info: JudgeInfo, part: Sequence[tuple[str, Question]], read: Sequence[Heard]
    ) -> Iterator[tuple[str, Judgement]]:
        sounds: dict[str, Mono] = {}
        texts: dict[str, str] = {}
        pairs: dict[str, tuple[Mono, Mono]] = {}
        for (key, question), one in zip(part, read, strict=True):
            if isinstance(one, str):
                texts[key] = one
            elif isinstance(one, tuple):
                pairs[key] = one
            elif not isinstance(one, AudioError):
                sounds[key] = one
            elif question.audio not in self.lost:
                yield key, Judgement(refused=one.name)
            else:
                self.samples.forget_audio(str(question.audio))
                raise StoreError(
                    f"{self.samples.folder}: {one}; its row is dropped: run the same command again"
                ) from one
        with self.watch.mark("judge"):
            if sounds:
                yield from zip(sounds, self._ask(judge.judge, info, list(sounds.values())), strict=True)
            if texts:
                ask = cast(TextJudge, judge).judge_texts
                yield from zip(texts, self._ask(ask, info, list(texts.values())), strict=True)
            if pairs:
                beside = cast(PairJudge, judge).judge_pairs
                yield from zip(pairs, self._ask(beside, info, list(pairs.values())), strict=True)

    def _ask(self, judge: Callable[[list[T]], list[Judgement]], info: JudgeInfo, asked: list[T]) -> list[Judgement]:
        """One answer a question. A question on which the judge fails is asked alone, and then refused as `error`."""
        try:
            answers = judge(asked)
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a judge raises on one sound must not cost the others
            if len(asked) > 1:
                return [answer for one in asked for answer in self._ask(judge, info, [one])]
            text = f"{type(error).__name__}: {error}"
            self.progress.say(f"judge {info.name} failed on one audio: {text}")
            return [Judgement(refused=JUDGE_ERROR, notes={"error": text})]
        if len(answers) != len(asked):
            raise UnavailableError(f"judge {info.name} gave {len(answers)} answers to {len(asked)} audios")
        return answers
