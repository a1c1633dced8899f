"""Asking one judge about everything that it has not judged yet, some batches at once where it can do so."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from calm_eval.errors import StoreError
from calm_eval.judges.protocol import Judge, JudgeInfo
from calm_eval.metrics.bound import BoundMetric, judge_use, make_judge
from calm_eval.metrics.identity import judge_identity
from calm_eval.runs.asking import Judged, LostAudioError, Part, Question, ask, read
from calm_eval.runs.database import Database
from calm_eval.runs.forecast import Forecast
from calm_eval.runs.judgements import JUDGE_ERROR, JudgementStore
from calm_eval.runs.samples import SampleStore
from calm_eval.runs.watch import Progress, Stopwatch
from calm_eval.systems.engine import Conditions

BATCH = 8
LOADERS = 2
"""Threads that read and resample ahead; both let go of the interpreter while they work."""
AT_ONCE = 8
"""Batches that a concurrent judge works on at once, at most: each holds its audio in memory."""


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
        at_once = min(AT_ONCE, self.conditions.threads) if getattr(judge, "concurrent", False) else 1
        with self.database.connection:
            about = [fingerprint, json.dumps(judge_identity(info))]
            self.database.connection.execute("INSERT OR REPLACE INTO judges VALUES (?, ?)", about)
        began = time.perf_counter()
        with self.watch.mark("judge"):
            judge.load(self.conditions.device, at_once if at_once > 1 else self.conditions.threads)
        began, loaded = time.perf_counter(), time.perf_counter() - began
        self.forecast.did(("load", title, fingerprint), loaded)
        parts = [waiting[start : start + BATCH] for start in range(0, len(waiting), BATCH)]
        try:
            with self.progress.steps(f"{title}: {info.name}", len(waiting)) as step:
                for judged in self._answers(judge, info, parts, at_once):
                    self.judgements.put(fingerprint, judged, self.environment)
                    self.judged += len(judged)
                    seconds, began = time.perf_counter() - began, time.perf_counter()
                    self.forecast.did(("judge", title, fingerprint), seconds, units=len(judged), count=len(judged))
                    step.done(len(judged))
        finally:
            judge.close()

    def _answers(self, judge: Judge, info: JudgeInfo, parts: Sequence[Part], at_once: int) -> Iterator[Judged]:
        """The answers to each part, in order; meanwhile the next ones are read and, by a concurrent judge, judged."""
        look = partial(read, samples=self.samples, sample_rate=info.sample_rate)
        with ThreadPoolExecutor(at_once) as callers, ThreadPoolExecutor(LOADERS) as readers:
            ahead: deque[Future[Judged]] = deque()
            try:
                for part in parts:
                    heard = [readers.submit(look, question) for _, question in part]
                    ahead.append(callers.submit(ask, judge, info, part, heard))
                    if len(ahead) > at_once:
                        yield self._next(info, ahead)
                while ahead:
                    yield self._next(info, ahead)
            finally:
                for left in ahead:
                    left.cancel()

    def _next(self, info: JudgeInfo, ahead: deque[Future[Judged]]) -> Judged:
        try:
            with self.watch.mark("judge"):
                judged = ahead.popleft().result()
        except LostAudioError as lost:
            self.samples.forget_audio(lost.audio)
            raise StoreError(f"{self.samples.folder}: {lost}; its row is dropped: run the same command again") from lost
        for _, answer in judged:
            if answer.refused == JUDGE_ERROR:
                self.progress.say(f"judge {info.name} failed on one audio: {answer.notes['error']}")
        return judged
