"""`invented_words`: share of a transcript's words that lie where a voice detector hears nobody speak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calm_eval.metrics.hallucination import voiced_segments, words_outside_speech
from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse
from calm_eval.selftest.check import Check

CHUNK_SECONDS = 512 / 16000
TOLERANCE_SECONDS = 0.2
THRESHOLD = 0.5


@dataclass(frozen=True)
class InventedWords:
    """Words outside speech over words, all items. Arithmetic: `hallucination.py`."""

    spec: MetricSpec

    def measure(self, view: SampleView) -> ItemValue:
        """Of one sample. A transcript without words adds nothing."""
        if view.failure is not None:
            return refuse(view.failure)
        judgement = view.judgements["sample"]
        if judgement.refused is not None:
            return refuse(f"judge:{judgement.refused}")
        if judgement.vectors is None or "words" not in judgement.notes:
            return refuse("judge:no-word-times")
        voiced = voiced_segments(np.asarray(judgement.vectors)[:, 0], CHUNK_SECONDS, THRESHOLD)
        words = [(float(start), float(end)) for start, end in judgement.notes["words"]]
        outside = words_outside_speech(words, voiced, TOLERANCE_SECONDS)
        return ItemValue(outside, len(words), {"outside": outside, "words": len(words), "voiced_segments": len(voiced)})


INVENTED_WORDS = InventedWords(
    MetricSpec(
        name="invented_words",
        title="Words outside speech",
        unit="%",
        scale=100.0,
        higher_is_better=False,
        kind="ratio",
        version=1,
        low=0.0,
        high=1.0,
        judge="timed-words",
        parameters={"threshold": THRESHOLD, "tolerance_seconds": TOLERANCE_SECONDS},
        definition="words that touch no voiced segment over words of all transcripts",
    )
)

CHECKS = (
    Check(
        "one word of two lies in the pause", lambda: words_outside_speech([(0.1, 0.4), (2.0, 2.3)], [(0.0, 1.0)]), 1.0
    ),
)
