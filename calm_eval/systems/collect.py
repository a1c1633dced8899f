"""From events to outcomes: the same bookkeeping whether the system runs in a child or in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from calm_eval.audio.clip import Clip
from calm_eval.systems.outcome import Outcome
from calm_eval.systems.protocol import Span


class BadAnswerError(Exception):
    """An event that makes no sense: an unknown item, a changed sample rate, audio after done."""


@dataclass
class _Sample:
    chunks: list[NDArray[np.float32]] = field(default_factory=list)
    rate: int = 0
    first_ns: int | None = None
    end_ns: int | None = None
    spans: list[Span] = field(default_factory=list)
    why: str | None = None
    failure: tuple[str, str] | None = None


class Collector:
    """Gathers the events of one batch. Times are nanoseconds of system activity since the batch began."""

    def __init__(self, items: Sequence[str], seed: int, cold: bool) -> None:
        self.seed = seed
        self.cold = cold
        self._samples = {item: _Sample() for item in items}

    def _known(self, item: str) -> _Sample:
        sample = self._samples.get(item)
        if sample is None:
            raise BadAnswerError(f"an event for item '{item}', which was not asked for")
        return sample

    def _open(self, item: str) -> _Sample:
        sample = self._known(item)
        if sample.why is not None or sample.failure is not None:
            raise BadAnswerError(f"an event for item '{item}' after it was finished")
        return sample

    def chunk(self, item: str, samples: NDArray[np.float32], rate: int, ns: int) -> None:
        """Audio of shape [channels, frames] that reached the host at `ns`."""
        sample = self._open(item)
        if rate <= 0 or (sample.rate and rate != sample.rate):
            raise BadAnswerError(f"item '{item}': sample rate {rate} after {sample.rate}")
        if sample.chunks and samples.shape[0] != sample.chunks[0].shape[0]:
            raise BadAnswerError(f"item '{item}': {samples.shape[0]} channels after {sample.chunks[0].shape[0]}")
        sample.rate = rate
        sample.chunks.append(samples)
        if sample.first_ns is None and samples.shape[1] > 0:
            sample.first_ns = ns

    def span(self, span: Span) -> None:
        """Time spent in one part of one step. It may come after the sample's end: clocks are read late, or once."""
        self._known(span.item).spans.append(span)

    def done(self, item: str, why: str, ns: int) -> None:
        """The sample is complete."""
        sample = self._open(item)
        if why not in ("eos", "length", "limit"):
            raise BadAnswerError(f"item '{item}': done because of '{why}'; expected eos, length or limit")
        sample.why, sample.end_ns = why, ns

    def failure(self, item: str, name: str, text: str) -> None:
        """The system gave this sample up."""
        self._open(item).failure = (name, text)

    def finished(self, batch_ns: int | None) -> Iterator[Outcome]:
        """Outcomes of all samples that ended. In a batch the time is shared by seconds of audio.

        `batch_ns` is None for a batch that broke: its time is then that of the last sample that ended.
        """
        if batch_ns is None:
            batch_ns = max((sample.end_ns or 0 for sample in self._samples.values()), default=0)
        clips = {item: _clip(sample) for item, sample in self._samples.items() if sample.why is not None}
        total = sum(clip.seconds for clip in clips.values() if clip)
        for item, sample in self._samples.items():
            if sample.failure is not None:
                yield Outcome(item, self.seed, failure=sample.failure[0], text=sample.failure[1], cold=self.cold)
            elif sample.why is not None:
                clip = clips[item]
                if clip is None:
                    yield Outcome(item, self.seed, failure="empty", text="done without any audio", cold=self.cold)
                    continue
                share = clip.seconds / total if len(self._samples) > 1 and total else 1.0
                end_ns = sample.end_ns if len(self._samples) == 1 and sample.end_ns is not None else batch_ns
                first_ns = end_ns if sample.first_ns is None else sample.first_ns
                yield Outcome(
                    item,
                    self.seed,
                    clip=clip,
                    why=sample.why,
                    generate_seconds=end_ns * share / 1e9,
                    first_audio_seconds=first_ns / 1e9,
                    streamed=len(sample.chunks) > 1,
                    cold=self.cold,
                    spans=tuple(sample.spans),
                )

    def unfinished(self) -> list[str]:
        """Items that neither ended nor failed."""
        return [item for item, sample in self._samples.items() if sample.why is None and sample.failure is None]


def _clip(sample: _Sample) -> Clip | None:
    if not sample.chunks:
        return None
    return Clip(np.concatenate(sample.chunks, axis=1), sample.rate)
