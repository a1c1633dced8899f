"""What a judge is asked about, how that is read, and how its answers are taken; works in any thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

from calm_eval.audio.read import AudioError, read_sound
from calm_eval.audio.resample import to_mono
from calm_eval.errors import UnavailableError
from calm_eval.judges.protocol import Judge, JudgeInfo, Judgement, Mono, PairJudge, TextJudge
from calm_eval.runs.judgements import JUDGE_ERROR
from calm_eval.runs.samples import SampleStore

T = TypeVar("T")


@dataclass(frozen=True)
class Question:
    """What a judge is asked about: the audio of `path`, a `text`, or the run's own `audio`, perhaps beside `path`.

    `window`: only these samples of the audio, counted at the judge's rate.
    """

    audio: str | None = None
    path: Path | None = None
    text: str | None = None
    window: tuple[int, int] | None = None


Heard = Mono | str | tuple[Mono, Mono] | AudioError
"""What was read for a question, or what is wrong with its file."""
Part = Sequence[tuple[str, Question]]
"""Questions of one batch, each under the identity of its audio or text."""
Judged = list[tuple[str, Judgement]]


class LostAudioError(Exception):
    """An audio of the run itself is damaged or gone; `audio` is its name."""

    def __init__(self, audio: str, error: AudioError) -> None:
        super().__init__(str(error))
        self.audio = audio


def read(question: Question, samples: SampleStore, sample_rate: int) -> Heard:
    """What a question is about, audio at the judge's rate. Raises LostAudioError."""
    if question.text is not None:
        return question.text
    sounds = []
    if question.audio is not None:
        try:
            sounds.append(to_mono(samples.load(question.audio), sample_rate))
        except AudioError as error:
            raise LostAudioError(question.audio, error) from error
    if question.path is not None:
        try:
            sounds.append(to_mono(read_sound(question.path), sample_rate))
        except AudioError as error:
            return error
    if question.window is not None:
        return sounds[0][slice(*question.window)]
    return sounds[0] if len(sounds) == 1 else (sounds[0], sounds[1])


def ask(judge: Judge, info: JudgeInfo, part: Part, heard: Sequence[Future[Heard]]) -> Judged:
    """The judge's answers about what was heard. Raises LostAudioError and UnavailableError."""
    sounds: dict[str, Mono] = {}
    texts: dict[str, str] = {}
    pairs: dict[str, tuple[Mono, Mono]] = {}
    judged: Judged = []
    for (key, _), coming in zip(part, heard, strict=True):
        one = coming.result()
        if isinstance(one, str):
            texts[key] = one
        elif isinstance(one, tuple):
            pairs[key] = one
        elif isinstance(one, AudioError):
            judged.append((key, Judgement(refused=one.name)))
        else:
            sounds[key] = one
    if sounds:
        judged += zip(sounds, _answers(judge.judge, info, list(sounds.values())), strict=True)
    if texts:
        judge_texts = cast(TextJudge, judge).judge_texts
        judged += zip(texts, _answers(judge_texts, info, list(texts.values())), strict=True)
    if pairs:
        judge_pairs = cast(PairJudge, judge).judge_pairs
        judged += zip(pairs, _answers(judge_pairs, info, list(pairs.values())), strict=True)
    return judged


def _answers(judge: Callable[[list[T]], list[Judgement]], info: JudgeInfo, asked: list[T]) -> list[Judgement]:
    """One answer a question. A question on which the judge fails is asked alone, and then refused as `error`."""
    try:
        answers = judge(asked)
    except UnavailableError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a judge raises on one sound must not cost the others
        if len(asked) > 1:
            return [answer for one in asked for answer in _answers(judge, info, [one])]
        return [Judgement(refused=JUDGE_ERROR, notes={"error": f"{type(error).__name__}: {error}"})]
    if len(answers) != len(asked):
        raise UnavailableError(f"judge {info.name} gave {len(answers)} answers to {len(asked)} audios")
    return answers
