"""Speed of whole samples: real-time factor and time to first audio, by the clock of the system's own process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse


@dataclass(frozen=True)
class Speed:
    """One of the two speeds. Recorded audio and controls were not generated here and have no value."""

    spec: MetricSpec
    quantity: Literal["rtf", "first_audio"]

    def measure(self, view: SampleView) -> ItemValue:
        """Seconds of compute over seconds of audio, or seconds until the first samples are on the host."""
        if view.failure is not None:
            return refuse(view.failure)
        if view.generate_seconds is None or view.first_audio_seconds is None:
            return refuse("not-timed")
        if self.quantity == "first_audio":
            return ItemValue(view.first_audio_seconds, 1.0)
        if not view.seconds:
            return refuse("empty")
        return ItemValue(view.generate_seconds, view.seconds)


REAL_TIME_FACTOR = Speed(
    MetricSpec(
        name="rtf",
        title="RTF",
        unit="s/s",
        higher_is_better=False,
        kind="ratio",
        version=1,
        low=0.0,
        timing=True,
        definition="seconds of generation over seconds of audio, all items together; below 1 is faster than real time",
    ),
    "rtf",
)
FIRST_AUDIO = Speed(
    MetricSpec(
        name="first_audio",
        title="First audio",
        unit="ms",
        scale=1000.0,
        higher_is_better=False,
        kind="item",
        version=1,
        low=0.0,
        timing=True,
        definition="mean time from request to the first samples on the host; the whole time where nothing streams",
    ),
    "first_audio",
)
