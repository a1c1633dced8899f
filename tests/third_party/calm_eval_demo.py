"""A third-party package, registered by entry points alone: a system, a judge, and a metric of every kind."""

from __future__ import annotations

import math
from array import array

from calm_eval.judges.protocol import JudgeInfo, Judgement
from calm_eval.metrics.protocol import GateVerdict, ItemValue, MetricSpec, SetValue, refuse
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


def _spec(name, kind, **more):
    return MetricSpec(
        name=name, title=name, unit="RMS", higher_is_better=True, kind=kind, version=1, judge="demo-level", **more
    )


def _level(judgement):
    return judgement.scores["rms"]


class Gap:
    """Mean level of the samples less that of the reference set."""

    spec = _spec("demo_gap", "set", needs=("reference_set",), judged=("sample", "reference_set"))

    def measure_set(self, samples, references):
        failures = {}
        levels = []
        for sample in samples:
            failure = sample.view.failure
            if failure is None and sample.view.judgements["sample"].refused is not None:
                failure = f"judge:{sample.view.judgements['sample'].refused}"
            if failure is not None:
                failures[failure] = failures.get(failure, 0) + 1
            else:
                levels.append(_level(sample.view.judgements["sample"]))
        if len(levels) < 2:
            return SetValue(None, 0, failures, refused="fewer than two samples")
        there = [_level(reference.judgement) for reference in references]
        value = sum(levels) / len(levels) - sum(there) / len(there)
        warnings = ("tiny",) if len(there) < 3 else ()
        return SetValue(
            value, len(levels), failures, value - 1, value + 1, "by hand", None, warnings, {"clips": len(there)}
        )


class Pair:
    """Level of a sample over that of its own reference."""

    spec = _spec("demo_pair", "pair", needs=("reference",), judged=("sample", "reference"))

    def measure(self, view):
        if view.failure is not None:
            return refuse(view.failure)
        if view.judgements["sample"].refused is not None:
            return refuse(f"judge:{view.judgements['sample'].refused}")
        return ItemValue(_level(view.judgements["sample"]) / _level(view.judgements["reference"]), 1.0)


class Gated(Level):
    """Mean level, which means something only when the samples are not all equally loud."""

    spec = _spec("demo_gated", "item")

    def gate(self, samples):
        levels = {round(_level(sample.view.judgements["sample"]), 6) for sample in samples}
        return GateVerdict("all alike" if len(levels) == 1 else None, notes={"levels": len(levels)})


class Power:
    """Energy of all samples over their seconds."""

    spec = _spec("demo_power", "ratio")

    def measure(self, view):
        if view.failure is not None:
            return refuse(view.failure)
        judgement = view.judgements["sample"]
        if judgement.refused is not None:
            return refuse(f"judge:{judgement.refused}")
        return ItemValue(view.seconds * _level(judgement) ** 2, view.seconds)


class Above:
    """Share of samples above a level that the suite sets."""

    def __init__(self, level: float):
        self.level = level
        self.spec = _spec("demo_above", "item", parameters={"level": level})

    def measure(self, view):
        return ItemValue(float(_level(view.judgements["sample"]) > self.level), 1.0)


GAP, PAIR, GATED, POWER = Gap(), Pair(), Gated(), Power()
