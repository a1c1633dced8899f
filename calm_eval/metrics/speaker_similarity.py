"""Speaker similarity: cosine between the speaker vectors of a sample and of its voice prompt (SIM-o).

The prompt is the recording itself, not a codec's copy of it. For a continuation the sample holds only what comes after
the prompt, so nothing is compared with itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse


def cosine(first: ArrayLike, second: ArrayLike) -> float:
    """Cosine of two vectors of shape [dim], in float64, in [-1, 1]. Raises ValueError on shapes or a zero vector."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"two vectors of one length, got {a.shape} and {b.shape}")
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    if norms == 0:
        raise ValueError("a zero vector has no direction")
    return float(np.clip(a @ b / norms, -1.0, 1.0))


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
        sample = view.judgements["sample"]
        if sample.refused or sample.vectors is None:
            return refuse(f"judge:{sample.refused}")
        if prompt.refused or prompt.vectors is None:
            return refuse(f"prompt:{prompt.refused}")
        return ItemValue(cosine(sample.vectors.mean(axis=0), prompt.vectors.mean(axis=0)), 1.0)


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
