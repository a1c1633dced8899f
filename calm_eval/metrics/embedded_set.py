"""The embeddings of a row's samples, or of a reference set, by clip; what could not be embedded is counted by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.protocol import SetReference, SetSample

Frames = NDArray[np.float32]


class ReadClips(Mapping[str, Frames]):
    """Frames [F, d] by clip, read each time they are asked for: a mapped page counts as memory while anyone holds it.

    `places` are the places of a clip's parts in a sequence, `read` gives the frames at one.
    """

    def __init__(self, read: Callable[[int], Frames], places: Mapping[str, Sequence[int]]) -> None:
        self._read = read
        self._places = places

    def __getitem__(self, name: str) -> Frames:
        parts = [self._read(place) for place in self._places[name]]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


@dataclass(frozen=True)
class EmbeddedSet:
    """`clips`: id to frames [F, d], read on demand; `frames` of them in all. `counted` samples are among them.

    All seeds of an item are one clip: they share a prompt, so they are no independent observations.
    """

    clips: Mapping[str, Frames]
    frames: int
    counted: int
    failures: Mapping[str, int]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is missing, for a set whose gaps no count of samples shows: a reference set."""
        return tuple(f"reference set: {name} ×{count}" for name, count in sorted(self.failures.items()))


def embedded_samples(samples: Sequence[SetSample]) -> EmbeddedSet:
    """The samples of a row by item. A failed sample counts under its failure, a refused one as `judge:NAME`."""
    places: dict[str, list[int]] = {}
    failures: Counter[str] = Counter()
    frames = 0
    for place, sample in enumerate(samples):
        failure = sample.view.failure
        judgement = sample.view.judgements.get("sample")
        if failure is None:
            failure = "judge:no-vector" if judgement is None else _refusal(judgement)
        if failure is not None:
            failures[failure] += 1
            continue
        frames += len(_vectors(judgement))
        places.setdefault(sample.item, []).append(place)
    counted = sum(map(len, places.values()))
    clips = ReadClips(lambda place: _vectors(samples[place].view.judgements["sample"]), places)
    return EmbeddedSet(clips, frames, counted, dict(failures))


def embedded_references(references: Sequence[SetReference]) -> EmbeddedSet:
    """The clips of a reference set."""
    places: dict[str, list[int]] = {}
    failures: Counter[str] = Counter()
    frames = 0
    for place, reference in enumerate(references):
        failure = _refusal(reference.judgement)
        if failure is not None:
            failures[failure] += 1
        else:
            frames += len(_vectors(reference.judgement))
            places[reference.id] = [place]
    clips = ReadClips(lambda place: _vectors(references[place].judgement), places)
    return EmbeddedSet(clips, frames, len(places), dict(failures))


def _vectors(judgement: Judgement | None) -> Frames:
    assert judgement is not None
    assert judgement.vectors is not None
    return judgement.vectors


def _refusal(judgement: Judgement) -> str | None:
    if judgement.refused is not None:
        return f"judge:{judgement.refused}"
    return None if judgement.vectors is not None and len(judgement.vectors) else "judge:no-vector"


def told_method(name: str, paired: bool, groups: int) -> str:
    """How an interval over groups of clips was made, for the report."""
    about = "items, generated and reference together" if paired else "generated clips, reference set held fixed"
    return f"{name} over {about}, {groups} groups, 95%"
