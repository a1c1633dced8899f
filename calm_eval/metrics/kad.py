"""`kad`: kernel audio distance of a row's samples to the reference set, with a jackknife interval over clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calm_eval.metrics.embedded_set import embedded_references, embedded_samples, told_method
from calm_eval.metrics.kernel_choice import KernelChoice
from calm_eval.metrics.kernel_distance import GROUPS, KernelSums, kernel_sums
from calm_eval.metrics.protocol import MetricSpec, SetReference, SetSample, SetValue
from calm_eval.metrics.set_choice import Clips, SetChoice
from calm_eval.selftest.check import Check
from calm_eval.stats.jackknife import NAME, Jackknife, jackknife_of

LEAST = 3
"""Clips on each side for a value with an interval: without one of them two are left."""


@dataclass(frozen=True)
class KernelAudioDistance:
    """Arithmetic and sources: `kernel_distance.py`."""

    spec: MetricSpec

    def choice(self, first: Clips, second: Clips, references: Clips) -> SetChoice:
        """The distance of sets chosen from two rows."""
        return KernelChoice(first, second, references)

    def measure_set(self, samples: Sequence[SetSample], references: Sequence[SetReference]) -> SetValue:
        """Unbiased, so near 0 and as often below as above it for equal distributions; no value under two clips."""
        generated, reference = embedded_samples(samples), embedded_references(references)
        if min(len(generated.clips), len(reference.clips)) < 2:
            return SetValue(None, 0, generated.failures, refused="fewer than two clips", warnings=reference.warnings)
        sums = kernel_sums(reference.clips, generated.clips)
        enough = min(len(generated.clips), len(reference.clips)) >= LEAST
        made = _interval(sums) if enough else None
        return SetValue(
            value=sums.distance(),
            scored=generated.counted,
            failures=generated.failures,
            low=made.low if made else None,
            high=made.high if made else None,
            method=told_method(NAME, sums.same_ids, GROUPS) if made else "",
            warnings=reference.warnings,
            notes={
                "frames": generated.frames,
                "reference frames": reference.frames,
                "bandwidth": sums.bandwidth,
                **({"standard error": made.error} if made else {}),
            },
        )


def _interval(sums: KernelSums) -> Jackknife:
    """As for FAD: equal ids on both sides are left out together, else the reference set is held fixed."""
    return jackknife_of(sums.distance(), sums.without_items() if sums.same_ids else sums.without_generated())


KAD = KernelAudioDistance(
    MetricSpec(
        name="kad",
        title="KAD",
        unit="x 100",
        higher_is_better=False,
        kind="set",
        version=1,
        needs=("reference_set",),
        judge="musicnn-mtt",
        judged=("sample", "reference_set"),
        parameters={
            "kernel": "Gaussian, exp(-d^2 / (2 h^2))",
            "bandwidth": "median distance of frames of the reference set",
            "pairs": "frames of clips with different ids",
            "scale": 100,
            "arithmetic": "float64, centred",
        },
        definition="100 x unbiased squared maximum mean discrepancy to the reference set",
    )
)


def _two_points() -> float:
    clips = [{"a": np.array([[0.0]]), "b": np.array([[1.0]])}, {"c": np.array([[0.0]]), "d": np.array([[2.0]])}]
    return kernel_sums(*clips).distance()


CHECKS = (
    # h = 1: 100 (e^(-1/2) + e^-2 - 2 (1 + e^-2 + e^(-1/2) + e^(-1/2)) / 4)
    Check("four points on a line", _two_points, 50 * (np.exp(-2.0) - 1.0), 1e-12),
)
