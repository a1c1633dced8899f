"""The transcripts of a row's samples, and how many samples have none, for metrics of texts as a set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from calm_eval.metrics.protocol import SetSample


@dataclass(frozen=True)
class Transcripts:
    """`texts`: (item, seed) to what a recogniser wrote, one word at least. `failures` counts the others by name."""

    texts: Mapping[tuple[str, int], str]
    failures: Mapping[str, int]


def transcripts(samples: Iterable[SetSample]) -> Transcripts:
    """What was heard of each sample. A failed sample counts under its failure, a silent one as `no-words`."""
    texts: dict[tuple[str, int], str] = {}
    failures: Counter[str] = Counter()
    for sample in samples:
        judgement = sample.view.judgements.get("sample")
        if sample.view.failure is not None:
            failures[sample.view.failure] += 1
        elif judgement is None or judgement.refused is not None:
            failures[f"judge:{judgement.refused if judgement else 'no-transcript'}"] += 1
        elif not (judgement.text or "").strip():
            failures["no-words"] += 1
        else:
            texts[sample.item, sample.seed] = str(judgement.text)
    return Transcripts(texts, dict(failures))
