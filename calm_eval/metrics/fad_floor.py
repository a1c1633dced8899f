"""`fad_floor`: the distance that samples of the reference distribution itself would show at this size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calm_eval.metrics.embedded_set import embedded_references, embedded_samples
from calm_eval.metrics.frechet_floor import effective_frames, noise_floor
from calm_eval.metrics.frechet_gaussian import Gaussian
from calm_eval.metrics.frechet_groups import group_clips
from calm_eval.metrics.protocol import MetricSpec, SetReference, SetSample, SetValue
from calm_eval.selftest.check import Check
from calm_eval.stats.jackknife import deal


@dataclass(frozen=True)
class FrechetFloor:
    """Arithmetic and sources: `frechet_floor.py`. A difference of FAD smaller than this says little."""

    spec: MetricSpec

    def measure_set(self, samples: Sequence[SetSample], references: Sequence[SetReference]) -> SetValue:
        """The expected distance under equal distributions, by effective frames of both sides."""
        generated, reference = embedded_samples(samples), embedded_references(references)
        if min(len(generated.clips), len(reference.clips)) < 2:
            return SetValue(None, 0, generated.failures, refused="fewer than two clips", warnings=reference.warnings)
        first = group_clips(generated.clips.items(), deal(generated.clips))
        second = group_clips(reference.clips.items(), deal(reference.clips))
        here, there = effective_frames(first), effective_frames(second)
        assert here is not None
        assert there is not None
        floor = noise_floor(second.gaussian(), here, there)
        return SetValue(
            value=floor,
            scored=generated.counted,
            failures=generated.failures,
            warnings=reference.warnings,
            notes={
                "frames": here.frames,
                "effective frames": here.for_mean,
                "correlation in a clip": here.correlation,
                "effective reference frames": there.for_mean,
            },
        )


FAD_FLOOR = FrechetFloor(
    MetricSpec(
        name="fad_floor",
        title="FAD floor",
        unit="squared distance",
        higher_is_better=False,
        kind="set",
        version=1,
        low=0.0,
        needs=("reference_set",),
        judge="musicnn-mtt",
        judged=("sample", "reference_set"),
        parameters={"expansion": "second order, Gaussian", "frames": "effective, by the correlation inside clips"},
        definition="FAD that two sets of these sizes drawn from the reference distribution have on average",
    )
)

CHECKS = (
    # Identity covariance in d dimensions: (1/N + 1/M) (d + (d^2 + d) / 4).
    Check(
        "identity covariance, d = 4, N = 100, M = 50",
        lambda: noise_floor(Gaussian(2, np.zeros(4), np.eye(4)), 100.0, 50.0),
        0.03 * 9.0,
        1e-12,
    ),
)
