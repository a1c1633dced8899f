"""Frame by frame: draw, hand over, feed back, until every sample of the batch has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from reference_models.heads.delays import FrameAssembler
from reference_models.heads.protocol import Sampling
from reference_models.models.code_model import CodeModel
from reference_models.models.conditioning import Conditions
from reference_models.models.language_model import LanguageModel
from reference_models.noise import Noise

Clock = Callable[[str, int], AbstractContextManager[object]]
"""Times a part (`prefill`, `head`, `backbone`, `other`) of a step; the step counts columns from 0."""


@dataclass(frozen=True)
class StopRule:
    """When the end-of-speech head ends a sample: at the first frame, `not_before` or later, whose logit exceeds
    `threshold`; `after` more frames follow.
    """

    threshold: float
    after: int = 0
    not_before: int = 0


@dataclass(frozen=True)
class Frame:
    """One frame of each sample of the batch, [batch, ...]; `live` says whose it still is.

    `ended` gives the reason (`eos` or `length`) for the samples that have ended with this frame, or, where the frame is
    no longer theirs, with the one before.
    """

    index: int
    frames: Tensor
    live: Sequence[bool]
    ended: Sequence[Literal["eos", "length"] | None]


def generate(
    model: LanguageModel,
    conditions: Sequence[Conditions],
    prompts: Sequence[Tensor | None],
    limits: Sequence[int],
    sampling: Sampling,
    noise: Noise,
    stop: StopRule | None = None,
    clock: Clock | None = None,
) -> Iterator[Frame]:
    """Frames in order. `limits` gives the most frames of each sample (at least 1).

    Raises ModelError, before any compute, when the arguments do not fit the model.
    """
    timed = clock if clock is not None else _untimed
    delay = model.longest_delay if isinstance(model, CodeModel) else 0
    assembler = FrameAssembler(model.delays) if isinstance(model, CodeModel) else None
    ends = list(limits)
    stopped, told = [False] * len(ends), [False] * len(ends)
    with timed("prefill", 0):
        state = model.begin(conditions, prompts, max(limits), sampling, noise)
    for step in range(max(limits) + delay):
        if stop is not None and step >= stop.not_before:
            with timed("other", step):
                logits = model.stop_logits(state)
                for row, logit in enumerate([] if logits is None else logits.tolist()):
                    if not stopped[row] and logit > stop.threshold:
                        stopped[row] = True
                        ends[row] = min(ends[row], max(step + stop.after, 1))
        if model.text_stream is not None:
            with timed("other", step):
                model.draw_words(state)
        with timed("head", step):
            column = model.draw(state)
        frame = column
        if assembler is not None:
            with timed("other", step):
                frame = assembler.push(column)
        index = step - delay
        if frame is not None:
            yield Frame(index, frame, [index < end for end in ends], _ended(index, ends, limits, told))
            if all(told):
                return
        with timed("backbone", step):
            model.advance(column, state)


def _ended(
    index: int, ends: Sequence[int], limits: Sequence[int], told: list[bool]
) -> list[Literal["eos", "length"] | None]:
    reasons: list[Literal["eos", "length"] | None] = []
    for row, (end, limit) in enumerate(zip(ends, limits, strict=True)):
        over = not told[row] and index >= end - 1
        told[row] = told[row] or over
        reasons.append(None if not over else "eos" if end < limit else "length")
    return reasons


def _untimed(name: str, step: int) -> AbstractContextManager[object]:
    return nullcontext()
