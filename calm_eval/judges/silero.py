"""Voice activity with Silero VAD: where in an audio somebody speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.assets import fetch
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.chosen_weights import chosen_weights
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.selftest.check import Golden

ASSET = "silero-vad"
WEIGHTS_FILE = "silero_vad.onnx"
SAMPLE_RATE = 16000
CHUNK = 512
CONTEXT = 64
_STATE = (2, 1, 128)


def voiced_samples(probabilities: NDArray[np.float32], frames: int, threshold: float) -> int:
    """Samples in chunks whose probability [chunks] is above `threshold`; the last chunk counts what it really holds."""
    lengths = np.minimum(CHUNK, frames - CHUNK * np.arange(probabilities.size))
    return int(lengths[probabilities > threshold].sum())


class SileroJudge:
    """Probability of speech in each 32-ms chunk of audio at 16 kHz, by Silero VAD (release 6.2.3 of its package).

    Scores: `voiced_seconds`, the time in chunks whose probability is above `threshold`, and `voiced_share` of the
    duration, 0 to 1. No smoothing, minimum length or padding of segments. Vectors: the probabilities [chunks, 1]. The
    last chunk is filled up with zeros, and the network hears the 64 samples before each chunk. `path` is an ONNX file
    in place of the catalogue's; its sha256 is then the identity. Inference is on the CPU whatever the device.

    Refuses `empty` (no sample) and `nan` (NaN or infinite samples). Silence is no refusal: nobody speaks in it.

    Raises InputError for a threshold outside 0 to 1.
    """

    concurrent = True

    def __init__(self, path: str | None = None, threshold: float = 0.5) -> None:
        if not 0.0 < threshold < 1.0:
            raise InputError(f"silero-vad: threshold is {threshold}, expected a number between 0 and 1")
        self.requires = Requires(("onnxruntime",), () if path is not None else (ASSET,))
        self._path = path
        self._threshold = threshold
        self._weights: Mapping[str, str] | None = None
        self._session: Any = None

    @property
    def info(self) -> JudgeInfo:
        """Identity and parameters. Raises UnavailableError when `path` cannot be read."""
        if self._weights is None:
            self._weights = chosen_weights("silero-vad", ASSET, self._path)
        return JudgeInfo(
            name="silero-vad",
            output="scores",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=self._weights,
            parameters={
                "chunk_samples": CHUNK,
                "context_samples": CONTEXT,
                "threshold": self._threshold,
                "tail": "filled up with zeros",
                "level": "as it is",
                "refuses": ["empty", "nan"],
            },
            licence="MIT",
            verified="weights",
            proven="calm-eval, 2026-11: silero-vad 6.2.3",
        )

    def load(self, device: str, threads: int) -> None:
        """Load the network. Raises UnavailableError with the cause."""
        try:
            import onnxruntime
            from onnxruntime.capi import onnxruntime_pybind11_state as state
        except (ImportError, OSError, RuntimeError) as error:
            raise UnavailableError(
                f"silero-vad needs onnxruntime: install calm-eval[mini] ({type(error).__name__}: {error})"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # each call in its own thread
        options.inter_op_num_threads = 1
        faults = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NoSuchFile,
                  state.NotImplemented, state.RuntimeException, OSError, RuntimeError)  # fmt: skip
        file = Path(self._path) if self._path is not None else fetch(ASSET) / WEIGHTS_FILE
        try:
            self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        except faults as error:
            raise UnavailableError(f"silero-vad: cannot load {file}: {type(error).__name__}: {error}") from error

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """Scores and probabilities for each audio [frames]. Raises UnavailableError when not loaded."""
        if self._session is None:
            raise UnavailableError("silero-vad is not loaded: call load(device, threads) first")
        return [self._judge_one(audio) for audio in batch]

    def close(self) -> None:
        """Free the network."""
        self._session = None

    def _judge_one(self, audio: Mono) -> Judgement:
        if audio.size == 0:
            return Judgement(refused="empty")
        if not np.isfinite(audio).all():
            return Judgement(refused="nan")
        found = self._probabilities(audio)
        voiced = voiced_samples(found, audio.size, self._threshold)
        scores = {"voiced_seconds": voiced / SAMPLE_RATE, "voiced_share": voiced / audio.size}
        return Judgement(scores=scores, vectors=found[:, None])

    def _probabilities(self, audio: Mono) -> NDArray[np.float32]:
        """Samples [frames] to one probability for each chunk; the state starts at zero with each audio."""
        chunks = -(-audio.size // CHUNK)
        padded = np.pad(audio.astype(np.float32), (CONTEXT, chunks * CHUNK - audio.size))
        state = np.zeros(_STATE, dtype=np.float32)
        rate = np.array(SAMPLE_RATE, dtype=np.int64)
        found = np.empty(chunks, dtype=np.float32)
        for number in range(chunks):
            heard = padded[number * CHUNK : (number + 1) * CHUNK + CONTEXT][None]
            probability, state = self._session.run(None, {"input": heard, "state": state, "sr": rate})
            found[number] = probability[0, 0]
        return found


GOLDENS = (
    Golden("silero-vad", "voice in a spoken sentence", lambda j: j.scores["voiced_share"], 0.9388, 0.03, "spoken"),
    Golden("silero-vad", "no voice in a chord", lambda j: j.scores["voiced_share"], 0.0, 0.0, "chord"),
)
