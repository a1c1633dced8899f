"""Speaker similarity: cosine between the speaker vectors of a sample and of a recording of the voice it should have.

Against the voice prompt (SIM-o), against the codec's copy of the prompt (SIM-r), or against the recording of the text
that was asked for. Three quantities that are never compared with each other. For a continuation the sample holds only
what comes after the prompt, so nothing is compared with itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse
from calm_eval.selftest.check import Check


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


Voice = Literal["prompt", "prompt_round_trip", "reference"]

SHORT: Mapping[Voice, str] = MappingProxyType(
    {"prompt": "prompt", "prompt_round_trip": "round-trip", "reference": "reference"}
)
"""What a refusal calls the recording that is compared with."""


@dataclass(frozen=True)
class SpeakerSimilarity:
    """Mean over items of the cosine; samples without a voice have no value and are counted by name."""

    spec: MetricSpec
    against: Voice = "prompt"

    def measure(self, view: SampleView) -> ItemValue:
        """Cosine of the two vectors (the mean over frames when a judge gives several)."""
        if view.failure is not None:
            return refuse(view.failure)
        other = view.judgements.get(self.against)
        if other is None:
            return refuse(f"no-{SHORT[self.against]}")
        sample_voice, other_voice = _voice(view.judgements["sample"]), _voice(other)
        if isinstance(sample_voice, str):
            return refuse(f"judge:{sample_voice}")
        if isinstance(other_voice, str):
            return refuse(f"{SHORT[self.against]}:{other_voice}")
        return ItemValue(cosine(sample_voice, other_voice), 1.0)


def _against(voice: Voice, name: str, title: str, whose: str) -> SpeakerSimilarity:
    spec = MetricSpec(
        name=name,
        title=title,
        unit="cosine",
        higher_is_better=True,
        kind="item",
        version=1,
        low=-1.0,
        high=1.0,
        needs=(voice,),
        judge="resemblyzer",
        judged=("sample", voice),
        definition=f"mean cosine between the speaker vectors of sample and {whose}",
    )
    return SpeakerSimilarity(spec, voice)


SPEAKER_SIMILARITY = _against("prompt", "speaker_similarity", "SIM-o", "voice prompt")
SPEAKER_SIMILARITY_ROUND_TRIP = _against(
    "prompt_round_trip", "speaker_similarity_round_trip", "SIM-r", "voice prompt after the system's codec"
)
SPEAKER_SIMILARITY_REFERENCE = _against(
    "reference", "speaker_similarity_reference", "SIM to target", "the recording of the text that was asked for"
)

CHECKS = (Check("vectors 3:4 and 1:0", lambda: cosine([3.0, 4.0], [1.0, 0.0]), 0.6, 1e-15),)
