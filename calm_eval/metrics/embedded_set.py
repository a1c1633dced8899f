"""The embeddings of a row's samples, or of a reference set, by clip; what could not be embedded is counted by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.protocol import SetReference, SetSample

Frames = NDArray[np.float32]


@dataclass(frozen=True)
class EmbeddedSet:
    """`clips`: id to frames [F, d], memory-mapped where they come from a store. `counted` samples are among them.

    All seeds of an item are one clip: they share a prompt, so they are no independent observations.
    """

    clips: Mapping[str, Frames]
    counted: int
    failures: Mapping[str, int]

    @property
    def frames(self) -> int:
        """Number of frames of all clips."""
        return sum(len(one) for one in self.clips.values())

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is missing, for a set whose gaps no count of samples shows: a reference set."""
        return tuple(f"reference set: {name} ×{count}" for name, count in sorted(self.failures.items()))


def embedded_samples(samples: Iterable[SetSample]) -> EmbeddedSet:
    """The samples of a row by item. A failed sample counts under its failure, a refused one as `judge:NAME`."""
    parts: dict[str, list[Frames]] = {}
    failures: Counter[str] = Counter()
    for sample in samples:
        failure = sample.view.failure
        judgement = sample.view.judgements.get("sample")
        if failure is None and judgement is not None:
            failure = _refusal(judgement)
        if failure is not None or judgement is None or judgement.vectors is None:
            failures[failure or "judge:no-vector"] += 1
            continue
        parts.setdefault(sample.item, []).append(judgement.vectors)
    clips = {name: seeds[0] if len(seeds) == 1 else np.concatenate(seeds) for name, seeds in parts.items()}
    return EmbeddedSet(clips, sum(map(len, parts.values())), dict(failures))


def embedded_references(references: Iterable[SetReference]) -> EmbeddedSet:
    """The clips of a reference set."""
    clips: dict[str, Frames] = {}
    failures: Counter[str] = Counter()
    for reference in references:
        failure = _refusal(reference.judgement)
        if failure is not None or reference.judgement.vectors is None:
            failures[failure or "judge:no-vector"] += 1
        else:
            clips[reference.id] = reference.judgement.vectors
    return EmbeddedSet(clips, len(clips), dict(failures))


def _refusal(judgement: Judgement) -> str | None:
    if judgement.refused is not None:
        return f"judge:{judgement.refused}"
    return None if judgement.vectors is not None and len(judgement.vectors) else "judge:no-vector"


def told_method(name: str, paired: bool, groups: int) -> str:
    """How an interval over groups of clips was made, for the report."""
    about = "items, generated and reference together" if paired else "generated clips, reference set held fixed"
    return f"{name} over {about}, {groups} groups, 95%"
