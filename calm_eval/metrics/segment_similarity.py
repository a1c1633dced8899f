"""Speaker similarity in segments, as kyutai-labs/tts_longeval has it: the mean of their cosines by duration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from calm_eval.metrics.directions import cosine, mean_vector
from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse
from calm_eval.selftest.check import Check


def weighted_cosine(segments: ArrayLike, seconds: Sequence[float], voice: ArrayLike) -> float:
    """Mean of the cosines of segments [n, dim] with a voice [dim], by duration [n].

    Source: kyutai-labs/tts_longeval, tts_longeval/speakersim.py. Raises ValueError for other shapes.
    """
    rows = np.asarray(segments, dtype=np.float64)
    if len(rows) != len(seconds) or not len(rows):
        raise ValueError(f"{len(rows)} segments with {len(seconds)} durations")
    return float(np.average([cosine(row, voice) for row in rows], weights=seconds))


@dataclass(frozen=True)
class SegmentSimilarity:
    """Mean over items; a sample without a voice has no value and is counted by name.

    The judge gives a vector for each segment with the note `seconds`, their durations.
    """

    spec: MetricSpec

    def measure(self, view: SampleView) -> ItemValue:
        """The weighted mean of cosines with the voice prompt, which must be one segment."""
        if view.failure is not None:
            return refuse(view.failure)
        other = view.judgements.get("prompt")
        if other is None:
            return refuse("no-prompt")
        sample = view.judgements["sample"]
        voice, whole = mean_vector(other), mean_vector(sample)
        if isinstance(whole, str):
            return refuse(f"judge:{whole}")
        if isinstance(voice, str):
            return refuse(f"prompt:{voice}")
        if other.vectors is not None and len(other.vectors) > 1:
            return refuse("prompt:several-segments")
        assert sample.vectors is not None
        seconds = [1.0] if len(sample.vectors) == 1 else sample.notes.get("seconds")
        if seconds is None:
            return refuse("judge:no-seconds")
        return ItemValue(weighted_cosine(sample.vectors, seconds, voice), 1.0)


SPEAKER_SIMILARITY_TTS_LONGEVAL = SegmentSimilarity(
    MetricSpec(
        name="speaker_similarity_tts_longeval",
        title="SIM-o, tts_longeval",
        unit="cosine",
        higher_is_better=True,
        kind="item",
        version=1,
        low=-1.0,
        high=1.0,
        needs=("prompt",),
        judge="wavlm-large-ecapa-segments",
        judged=("sample", "prompt"),
        definition="mean over segments, by duration, of the cosine of their speaker vectors with the voice prompt's",
    )
)

CHECKS = (
    Check(
        "30 s at 3/5 and 10 s at 4/5",
        lambda: weighted_cosine([[3.0, 4.0], [8.0, 6.0]], [30.0, 10.0], [1.0, 0.0]),
        0.65,
        1e-15,
    ),
)
