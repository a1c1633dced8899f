"""`fad_infinity`: the Fréchet distance extrapolated to endless generated clips, without replacement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from calm_eval.metrics.embedded_set import embedded_references, embedded_samples
from calm_eval.metrics.frechet_gaussian import frame_moments, merged
from calm_eval.metrics.frechet_infinity import POINTS, REPEATS, frechet_infinity, line
from calm_eval.metrics.protocol import MetricSpec, SetReference, SetSample, SetValue
from calm_eval.selftest.check import Check
from calm_eval.stats.jackknife import GROUPS
from calm_eval.stats.student import t_quantile

SEED = 0


CURVE = "curve"
"""The note that holds the points of the line, each frames and distance."""


@dataclass(frozen=True)
class FrechetInfinityMetric:
    """Arithmetic and sources: `frechet_infinity.py`."""

    spec: MetricSpec

    def measure_set(self, samples: Sequence[SetSample], references: Sequence[SetReference]) -> SetValue:
        """The intercept; refused as `n < 5d` or `too few clips` where no line can be drawn."""
        generated, reference = embedded_samples(samples), embedded_references(references)
        if not generated.clips or reference.frames < 2:
            return SetValue(None, 0, generated.failures, refused="too few clips", warnings=reference.warnings)
        target = merged(frame_moments(one) for one in reference.clips.values()).gaussian()
        found = frechet_infinity(generated.clips, target, seed=SEED)
        if found.value is None or found.error is None:
            return SetValue(None, 0, generated.failures, refused=found.refused, warnings=reference.warnings)
        reach = t_quantile(0.975, GROUPS - 1) * found.error
        return SetValue(
            value=found.value,
            scored=generated.counted,
            failures=generated.failures,
            low=found.value - reach,
            high=found.value + reach,
            method="intercept plus and minus t times its standard error, 95%",
            warnings=reference.warnings,
            notes={
                "standard error": found.error,
                "R²": found.r_squared,
                "points": len(found.frames),
                CURVE: [list(point) for point in zip(found.frames, found.distances, strict=True)],
            },
        )


FAD_INFINITY = FrechetInfinityMetric(
    MetricSpec(
        name="fad_infinity",
        title="FAD∞",
        unit="squared distance",
        higher_is_better=False,
        kind="set",
        version=1,
        needs=("reference_set",),
        judge="musicnn-mtt",
        judged=("sample", "reference_set"),
        parameters={"drawn": "clips without replacement", "points": POINTS, "repeats": REPEATS, "seed": SEED},
        definition="intercept of FAD over 1 / frames: what endless samples would score against this reference set",
    )
)

CHECKS = (
    Check(
        "a straight line's value at 0",
        lambda: line(np.array([0.1, 0.2, 0.3]), np.array([2.5, 3.0, 3.5]))[0],
        2.0,
        1e-12,
    ),
)
