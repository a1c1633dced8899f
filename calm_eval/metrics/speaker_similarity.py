"""Speaker similarity: cosine between the speaker vectors of a sample and of its voice prompt (SIM-o).

The prompt is the recording itself, not a codec's copy of it. For a continuation the sample holds only what comes after
the prompt, so nothing is compared with itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse


def cosine(first: ArrayLike, second: ArrayLike) -> float:
    """Cosine of two vectors of shape [dim], in float64, in [-1, 1]. Raises ValueError on shapes or no direction."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"two vectors of one length, got {a.shape} and {b.shape}")
    if not (_has_direction(a) and _has_direction(b)):
        raise ValueError("a vector that is zero or not finite has no direction")
    # By the largest entry first: squares of very small or large entries would vanish or overflow.
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    return float(np.clip(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)), -1.0, 1.0))


def _has_direction(vector: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(vector).all() and vector.any())


def _voice(judgement: Judgement) -> NDArray[np.float64] | str:
    """Mean vector of a judgement, or the name of why there is none."""
    if judgement.refused is not None:
        return judgement.refused
    if judgement.vectors is None or len(judgement.vectors) == 0:
        return "no-vector"
    mean = np.asarray(judgement.vectors, dtype=np.float64).mean(axis=0)
    return mean if _has_direction(mean) else "no-direction"


@dataclass(frozen=True)
class SpeakerSimilarity:
    """Mean over items of the cosine; samples without a voice have no value and are counted by name."""

    spec: MetricSpec

    def measure(self, view: SampleView) -> ItemValue:
        """Cosine of sample and prompt vectors (the mean over frames when a judge gives several)."""
        if view.failure is not None:
            return refuse(view.failure)
        prompt = view.judgements.get("prompt")
        if prompt is None:
            return refuse("no-prompt")
        sample_voice, prompt_voice = _voice(view.judgements["sample"]), _voice(prompt)
        if isinstance(sample_voice, str):
            return refuse(f"judge:{sample_voice}")
        if isinstance(prompt_voice, str):
            return refuse(f"prompt:{prompt_voice}")
        return ItemValue(cosine(sample_voice, prompt_voice), 1.0)


SPEAKER_SIMILARITY = SpeakerSimilarity(
    MetricSpec(
        name="speaker_similarity",
        title="SIM-o",
        unit="cosine",
        higher_is_better=True,
        kind="item",
        version=1,
        low=-1.0,
        high=1.0,
        needs=("prompt",),
        judge="resemblyzer",
        judged=("sample", "prompt"),
        definition="mean cosine between the speaker vectors of sample and voice prompt",
    )
)
