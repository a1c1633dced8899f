"""What the signal itself says: silence, clipping, offset, bandwidth, level and loops. Each is a mean over items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calm_eval.audio.level import rms_dbfs, silence_share
from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse
from calm_eval.selftest.check import Check


@dataclass(frozen=True)
class Signal:
    """Mean over items of one score of the judge `signal`; `magnitude` drops its sign."""

    spec: MetricSpec
    score: str
    magnitude: bool = False

    def measure(self, view: SampleView) -> ItemValue:
        """The score, or the judge's reason why the quantity is not defined for this sample."""
        if view.failure is not None:
            return refuse(view.failure)
        judgement = view.judgements["sample"]
        if judgement.refused is not None:
            return refuse(f"judge:{judgement.refused}")
        if self.score not in judgement.scores:
            return refuse(f"judge:{judgement.notes.get('undefined', {}).get(self.score, 'no-value')}")
        value = judgement.scores[self.score]
        return ItemValue(abs(value) if self.magnitude else value, 1.0)


def _signal(
    name: str,
    title: str,
    unit: str,
    definition: str,
    higher_is_better: bool = False,
    low: float | None = None,
    high: float | None = None,
    scale: float = 1.0,
    score: str | None = None,
    magnitude: bool = False,
) -> Signal:
    spec = MetricSpec(
        name=name,
        title=title,
        unit=unit,
        higher_is_better=higher_is_better,
        kind="item",
        version=1,
        low=low,
        high=high,
        judge="signal",
        parameters={"magnitude": True} if magnitude else {},
        scale=scale,
        definition=definition,
    )
    return Signal(spec, score or name, magnitude)


SILENCE_SHARE = _signal(
    "silence_share", "Silence", "%", "share of 20-ms frames under -60 dBFS", low=0.0, high=1.0, scale=100.0
)
CLIPPING_SHARE = _signal(
    "clipping_share", "Clipped", "%", "share of samples at 0.99 of full scale or more", low=0.0, high=1.0, scale=100.0
)
BANDWIDTH = _signal(
    "bandwidth_hz", "Bandwidth", "Hz", "frequency below which 99 % of the energy lies", higher_is_better=True, low=0.0
)
DC_OFFSET = _signal(
    "dc_offset", "DC", "full scale", "magnitude of the mean sample", low=0.0, score="dc", magnitude=True
)
LOOP_STRENGTH = _signal(
    "loop_strength",
    "Loop",
    "correlation",
    "strongest likeness of the log-mel frames with themselves, 0.5 s or more later",
    low=-1.0,
    high=1.0,
)
# A level has no better side; these two say so in their definition.
PEAK = _signal("peak_dbfs", "Peak", "dBFS", "largest magnitude; neither side is better")
LEVEL = _signal("rms_dbfs", "Level", "dBFS", "root mean square over the clip; neither side is better")


def _sine() -> NDArray[np.float64]:
    return np.asarray(np.sin(2 * np.pi * np.arange(48000) / 48))


CHECKS = (
    Check("level of a full sine: -3.01 dBFS", lambda: rms_dbfs(_sine()), -10 * np.log10(2), 1e-9),
    Check("half a clip is silent", lambda: silence_share(np.append(_sine(), np.zeros(48000)), 48000), 0.5, 1e-9),
)
