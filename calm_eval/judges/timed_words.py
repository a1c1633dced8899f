"""Words with their times beside voice activity: what tells words that nobody spoke."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from calm_eval.judges.faster_whisper import FasterWhisperJudge
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.judges.silero import SileroJudge
from calm_eval.selftest.check import Golden


class TimedWordsJudge:
    """Whisper tiny.en with word times and Silero VAD on the same 16 kHz audio.

    `text` is the transcript, `vectors` [chunks, 1] the probability of speech in each 32-ms chunk, and `notes["words"]`
    start and end of each word in seconds. Refuses `empty` and `nan`.
    """

    concurrent = True
    requires = Requires(("faster_whisper", "onnxruntime"), ("whisper-tiny.en-ct2", "silero-vad"))

    def __init__(self) -> None:
        self._recogniser = FasterWhisperJudge(model="whisper-tiny.en-ct2", word_times=True)
        self._detector = SileroJudge()

    @property
    def info(self) -> JudgeInfo:
        """Identity: both models' files and options."""
        both = {"recogniser": self._recogniser.info, "detector": self._detector.info}
        parameters: dict[str, Any] = {name: dict(one.parameters) for name, one in both.items()}
        return JudgeInfo(
            name="timed-words",
            output="transcript",
            sample_rate=self._recogniser.info.sample_rate,
            version=1,
            weights={f"{name}/{file}": sha for name, one in both.items() for file, sha in one.weights.items()},
            parameters=parameters,
            licence="MIT",
            verified="weights",
            proven="calm-eval, 2026-11: the packages themselves",
        )

    def load(self, device: str, threads: int) -> None:
        """Load both. Raises UnavailableError with what to install or fetch."""
        self._recogniser.load(device, threads)
        self._detector.load(device, threads)

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """One judgement for each audio [frames]. Raises UnavailableError when not loaded."""
        written, heard = self._recogniser.judge(batch), self._detector.judge(batch)
        return [
            words
            if words.refused is not None
            else Judgement(text=words.text, scores=voice.scores, vectors=voice.vectors, notes=words.notes)
            for words, voice in zip(written, heard, strict=True)
        ]

    def close(self) -> None:
        """Free both."""
        self._recogniser.close()
        self._detector.close()


GOLDENS = (
    Golden("timed-words", "words of a spoken sentence", lambda j: float(len(j.notes["words"])), 9.0, 0.0, "spoken"),
)
