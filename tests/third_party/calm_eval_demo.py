"""A third-party package: one system, one judge and one metric, registered by entry points alone."""

from __future__ import annotations

import math
from array import array

from calm_eval.judges.protocol import JudgeInfo, Judgement
from calm_eval.metrics.protocol import ItemValue, MetricSpec, refuse
from calm_eval.systems.protocol import Chunk, Done, Parameter, Span, SystemInfo


class Sine:
    """Speaks a text as one tone: 20 ms for each letter, at `frequency` Hz."""

    info = SystemInfo(
        tasks=("tts",),
        family="other",
        sample_rate=16000,
        streaming=True,
        sampling={"frequency": Parameter(440.0, low=50.0, high=4000.0)},
        version=1,
    )

    def load(self, device, dtype, threads):
        pass

    def head_evaluations_per_second(self, sampling):
        return 50.0

    def generate(self, requests, sampling):
        for request in requests:
            frames = 320 * len(request.text)
            for half in (0, 1):
                first, last = half * frames // 2, (half + 1) * frames // 2
                step = 2 * math.pi * sampling["frequency"] / 16000
                samples = array("f", (0.5 * math.sin(step * n) for n in range(first, last)))
                yield Span(request.item, request.seed, "head", half, 1000)
                yield Chunk(request.item, request.seed, samples, 16000)
            yield Done(request.item, request.seed)


class LevelJudge:
    """Root mean square of the samples."""

    info = JudgeInfo(name="demo-level", output="scores", sample_rate=16000, version=1, weights={})

    def load(self, device, threads):
        pass

    def judge(self, batch):
        return [Judgement(scores={"rms": float((audio.astype("float64") ** 2).mean() ** 0.5)}) for audio in batch]

    def close(self):
        pass


class Level:
    """Mean level."""

    spec = MetricSpec(
        name="demo_level",
        title="Level",
        unit="RMS",
        higher_is_better=True,
        kind="item",
        version=1,
        judge="demo-level",
    )

    def measure(self, view):
        if view.failure is not None:
            return refuse(view.failure)
        judgement = view.judgements["sample"]
        if judgement.refused is not None:
            return refuse(f"judge:{judgement.refused}")
        return ItemValue(judgement.scores["rms"], 1.0)


LEVEL = Level()
