"""What metrics see of the samples of a run: views made when they are looked at, so that no set lies in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import overload

from calm_eval.data.item import AudioRef, Item
from calm_eval.judges.protocol import Judgement
from calm_eval.keys import digest
from calm_eval.metrics.bound import BoundMetric
from calm_eval.metrics.protocol import Judged, SampleView, SetReference, SetSample
from calm_eval.runs.judgements import JudgementStore
from calm_eval.runs.plan_store import StoredPlan, StoredSample
from calm_eval.runs.samples import SampleStore


def text_key(text: str) -> str:
    """Under which name the judgement of a text is stored; never that of an audio."""
    return f"text:{digest(text)}"


def pair_key(audio: str, other: str) -> str:
    """Under which name the judgement of a sample together with another audio is stored."""
    return f"pair:{digest([audio, other])}"


PAIRED: Mapping[Judged, str] = {"with_reference": "reference", "with_prompt": "prompt"}
"""What a sample is heard together with, by the name of the part."""


OF_SAMPLE: tuple[Judged, ...] = ("sample", *PAIRED)
"""Parts that a sample without a judgement is still to be judged on."""


def question_keys(item: Item, audio: str | None) -> dict[Judged, str | None]:
    """Identity of each thing that a judge may be asked about a sample whose audio is `audio`; None where there is none.

    The reference set belongs to the suite and is not among them.
    """
    keys: dict[Judged, str | None] = {
        "sample": audio,
        "prompt": item.part("prompt"),
        "prompt_round_trip": item.part("prompt_round_trip"),
        "reference": item.part("reference"),
        "text": text_key(item.text) if item.text is not None else None,
    }
    for part, other in PAIRED.items():
        beside = item.part(other)
        keys[part] = pair_key(audio, beside) if audio is not None and beside is not None else None
    return keys


def _spans(stored: str | None) -> tuple[tuple[str, int, int], ...]:
    return () if stored is None else tuple((name, step, spent) for name, step, spent in json.loads(stored))


class Views:
    """Views of the samples of one suite for one metric."""

    def __init__(self, plan: StoredPlan, samples: SampleStore, judgements: JudgementStore, bound: BoundMetric) -> None:
        self.plan = plan
        self.samples = samples
        self.judgements = judgements
        self.bound = bound

    def sample(self, sample: StoredSample) -> SampleView | None:
        """What the metric may see of a sample; None when it is not generated or not judged yet."""
        row = self.samples.get(sample.key)
        if row is None:
            return None
        item = self.plan.items[sample.item]
        heard: dict[Judged, Judgement] = {}
        judge = self.bound.judge_fingerprint
        if judge is not None:
            keys = question_keys(item, row["audio"])
            for part in self.bound.spec.judged:
                key = keys.get(part)
                judgement = self.judgements.get(key, judge) if key else None
                if judgement is not None:
                    heard[part] = judgement
                elif key is not None and part in OF_SAMPLE:
                    return None
        return SampleView(
            failure=row["failure"],
            flags=tuple(json.loads(row["flags"])),
            text=item.text,
            seconds=row["seconds"],
            generate_seconds=row["generate_seconds"],
            first_audio_seconds=row["first_audio_seconds"],
            spans=_spans(row["spans"]) if self.bound.spec.timing else (),
            judgements=heard,
        )

    def there(self, sample: StoredSample) -> bool:
        """Whether the sample is made, and judged where the metric wants it judged."""
        row = self.samples.get(sample.key)
        if row is None:
            return False
        judge = self.bound.judge_fingerprint
        if judge is None:
            return True
        keys = question_keys(self.plan.items[sample.item], row["audio"])
        asked = [keys.get(part) for part in self.bound.spec.judged if part in OF_SAMPLE]
        return all(key is None or self.judgements.there(key, judge) for key in asked)


class RowSamples(Sequence[SetSample]):
    """All samples of a row, read when they are walked. Those that are not generated or judged are no members."""

    def __init__(self, views: Views, samples: Sequence[StoredSample]) -> None:
        self.views = views
        self.members = samples

    def __len__(self) -> int:
        return len(self.members)

    @overload
    def __getitem__(self, place: int) -> SetSample: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[SetSample]: ...
    def __getitem__(self, place: int | slice) -> SetSample | Sequence[SetSample]:
        if isinstance(place, slice):
            return RowSamples(self.views, self.members[place])
        member = self.members[place]
        view = self.views.sample(member)
        if view is None:
            raise LookupError(f"sample {member.item}, seed {member.seed}, is not judged")
        return SetSample(member.item, member.seed, view)


class ReferenceClips(Sequence[SetReference]):
    """The reference set as a judge heard it, read when it is walked."""

    def __init__(self, clips: Sequence[tuple[str, AudioRef]], judgements: JudgementStore, judge: str) -> None:
        self.clips = clips
        self.judgements = judgements
        self.judge = judge

    def __len__(self) -> int:
        return len(self.clips)

    @overload
    def __getitem__(self, place: int) -> SetReference: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[SetReference]: ...
    def __getitem__(self, place: int | slice) -> SetReference | Sequence[SetReference]:
        if isinstance(place, slice):
            return ReferenceClips(self.clips[place], self.judgements, self.judge)
        name, audio = self.clips[place]
        judgement = self.judgements.get(audio.identity, self.judge)
        if judgement is None:
            raise LookupError(f"clip {name} of the reference set is not judged")
        return SetReference(name, judgement)

    def __iter__(self) -> Iterator[SetReference]:
        for place in range(len(self.clips)):
            yield self[place]
