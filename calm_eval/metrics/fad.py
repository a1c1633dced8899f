"""`fad`: Fréchet distance of a row's samples to the reference set, its jackknife interval and the clips behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from calm_eval.metrics.embedded_set import EmbeddedSet, embedded_references, embedded_samples, told_method
from calm_eval.metrics.frechet import frechet_distance, frechet_distance_checked, frechet_distance_of_clips
from calm_eval.metrics.frechet_choice import FrechetChoice
from calm_eval.metrics.frechet_groups import GroupedClips, frechet_interval, group_clips
from calm_eval.metrics.frechet_influence import clip_influences
from calm_eval.metrics.protocol import MetricSpec, SetReference, SetSample, SetValue
from calm_eval.metrics.set_choice import Clips, SetChoice
from calm_eval.selftest.check import Check
from calm_eval.stats.jackknife import GROUPS, NAME, Jackknife, deal, jackknife

SHOWN = 3
"""Clips named with the value: those without which it would fall most."""

BELOW = "of the distance without its small-sample bias, so that it may lie below the value"

LOW_RANK = "n ≤ d"
"""With no more frames than dimensions the covariance lacks directions: compare such a value with nothing else."""


@dataclass(frozen=True)
class FrechetAudioDistance:
    """Arithmetic and sources: `frechet.py`. Both routes are computed and must agree."""

    spec: MetricSpec

    def choice(self, first: Clips, second: Clips, references: Clips) -> SetChoice:
        """The distance of sets chosen from two rows."""
        return FrechetChoice(first, second, references)

    def measure_set(self, samples: Sequence[SetSample], references: Sequence[SetReference]) -> SetValue:
        """The plain distance, as everyone reports it. The interval is of the distance without its first-order bias."""
        generated, reference = embedded_samples(samples), embedded_references(references)
        if min(generated.frames, reference.frames) < 2:
            return SetValue(None, 0, generated.failures, refused="fewer than two frames", warnings=reference.warnings)
        first, second = _grouped(generated), _grouped(reference)
        whole, target = first.gaussian(), second.gaussian()
        value = frechet_distance_of_clips(generated.clips.values(), reference.clips.values(), whole, target)
        paired = generated.clips.keys() == reference.clips.keys()
        made = _paired_interval(first, second) if paired else frechet_interval(first, target)
        rank = min(generated.frames, reference.frames) - 1
        worst = clip_influences(generated.clips.items(), first.moments(), target)
        return SetValue(
            value=value,
            scored=generated.counted,
            failures=generated.failures,
            low=max(0.0, made.low) if made else None,
            high=max(0.0, made.high) if made else None,
            method=f"{told_method(NAME, paired, GROUPS)}, {BELOW}" if made else "",
            warnings=((LOW_RANK,) if rank < whole.dimensions else ()) + reference.warnings,
            notes={
                "frames": generated.frames,
                "reference frames": reference.frames,
                "dimensions": whole.dimensions,
                **({"without first-order bias": made.corrected, "standard error": made.error} if made else {}),
                "change without the worst clips": ", ".join(
                    f"{one.clip} {one.first_order if one.exact is None else one.exact:+.3g}" for one in worst[:SHOWN]
                ),
            },
        )


def _grouped(clips: EmbeddedSet) -> GroupedClips:
    return group_clips(clips.clips.items(), deal(clips.clips))


def _paired_interval(generated: GroupedClips, reference: GroupedClips) -> Jackknife | None:
    """Items left out on both sides together: a sample and the reference of its own item are not independent."""
    if len(generated.parts) < 2 or min(sum(one.sizes) - max(one.sizes) for one in (generated, reference)) < 2:
        return None
    distance: Callable[[Sequence[int]], float] = lambda kept: frechet_distance(  # noqa: E731
        generated.gaussian(kept), reference.gaussian(kept)
    )
    return jackknife(distance, len(generated.parts), generated.sizes)


FAD = FrechetAudioDistance(
    MetricSpec(
        name="fad",
        title="FAD",
        unit="squared distance",
        higher_is_better=False,
        kind="set",
        version=1,
        low=0.0,
        needs=("reference_set",),
        judge="musicnn-mtt",
        judged=("sample", "reference_set"),
        parameters={"covariance": "divisor n - 1", "arithmetic": "float64", "epsilon": None},
        definition="squared Fréchet distance of Gaussians fitted to the frames of samples and reference set",
    )
)


def _scaled_and_moved() -> float:
    """FD(X, 2 X + 3) of frames X: d 3^2 + (1 - 2)^2 Tr(S) exactly, here 9 d + the trace."""
    frames = np.sin(np.arange(60.0).reshape(20, 3) ** 1.5)
    frames -= frames.mean(axis=0)
    trace = float(np.trace(np.cov(frames, rowvar=False)))
    return frechet_distance_checked(frames, 2 * frames + 3) / (27 + trace)


CHECKS = (
    Check("equal frames are at 0", lambda: frechet_distance_checked(np.eye(4), np.eye(4)), 0.0, 1e-12),
    Check("scaled and moved frames, over the closed form", _scaled_and_moved, 1.0, 1e-10),
    Check(
        "one dimension: (1 - 3)^2 + (sd - 2 sd)^2",
        lambda: frechet_distance_checked(np.array([[0.0], [2.0]]), np.array([[1.0], [5.0]])),
        4.0 + 2.0,
        1e-12,
    ),
)
