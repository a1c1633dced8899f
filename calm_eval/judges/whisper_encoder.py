"""Embeddings of speech: the encoder of a Whisper model in CTranslate2 format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.assets import fetch, weights
from calm_eval.assets.checksum import sha256_of
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.selftest.check import Golden

ASSET = "whisper-tiny.en-ct2"
SAMPLE_RATE = 16000
LONGEST = 30.0
"""Seconds of a window that the encoder has positions for."""
FRAME = 320
"""Samples under one encoder frame: mel hop 160, halved in time by the second convolution."""


class WhisperEncoderJudge:
    """Encoder states of Whisper (Radford et al. 2022), one for each 20 ms of 16 kHz audio: [frames, 384] for tiny.en.

    Audio is cut into windows without overlap; the last is filled up with zero samples before the log-mel, as the
    original does with its 30 s. States over that padding are cut off: a window of n samples keeps its first n // 320
    states. With another `window_seconds` (1 to 30) the encoder sees so much at a time and takes a share of the work:
    other states, under another name. The padding is still heard by the others through attention, so the states of the
    same sound differ with the length of its clip. The mel is relative to the loudest bin of its window (floor at 8
    decades below), which makes the states nearly blind to level.

    `compute_type` is CTranslate2's and is part of the identity. `path` is a folder with model.bin and config.json in
    place of the catalogue's. These are not the states that fadtk calls Whisper: it takes the decoder's.

    Refuses `empty` (no sample), `nan` (NaN or infinite samples), `silent` (every sample zero) and `too-short` (under
    320 samples). Notes: `windows`.
    """

    def __init__(self, path: str | None = None, compute_type: str = "float32", window_seconds: float = LONGEST) -> None:
        if not 1 <= window_seconds <= LONGEST:
            raise InputError(f"whisper-encoder: window_seconds {window_seconds:g} is not from 1 to {LONGEST:g}")
        self._path = path
        self._compute_type = compute_type
        self.requires = Requires(("faster_whisper",), () if path is not None else (ASSET,))
        label = Path(path).name if path is not None else ASSET.removesuffix("-ct2")
        self._name = f"{label}/encoder" + ("" if window_seconds == LONGEST else f"/{window_seconds:g}s")
        self._window = round(window_seconds * SAMPLE_RATE) // FRAME * FRAME
        self._weights: Mapping[str, str] | None = None
        self._whisper: Any = None
        self._features: Any = None
        self._view: Any = None

    @property
    def info(self) -> JudgeInfo:
        """Identity and parameters. A `path` is hashed on first use; UnavailableError when it cannot be read."""
        if self._weights is None:
            self._weights = self._identify()
        return JudgeInfo(
            name=self._name,
            output="embedding",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=self._weights,
            parameters={
                "compute_type": self._compute_type,
                "layer": "encoder output after its final normalisation",
                "window_samples": self._window,
                "hop_samples": self._window,
                "frame_samples": FRAME,
                "tail": "filled up with zero samples to a window; states over them cut off",
                "level": "log-mel relative to the loudest bin of a window",
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence="MIT",
            verified="weights",
            proven="calm-eval, 2026-11: the package itself",
        )

    def load(self, device: str, threads: int) -> None:
        """Load the model on `cpu`, `cuda` or `cuda:N`. Raises UnavailableError with what to install or fetch."""
        try:
            import ctranslate2
            from faster_whisper.feature_extractor import FeatureExtractor
        except (ImportError, OSError, RuntimeError) as error:
            raise UnavailableError(
                f"{self._name} needs faster-whisper: install calm-eval[mini] ({type(error).__name__}: {error})"
            ) from error
        kind, _, index = device.partition(":")
        try:
            self._whisper = ctranslate2.models.Whisper(
                str(self._folder()),
                device=kind,
                device_index=int(index or 0),
                compute_type=self._compute_type,
                intra_threads=threads,
                inter_threads=1,
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise UnavailableError(f"{self._name}: cannot load on {device}: {error}") from error
        self._features = FeatureExtractor(feature_size=self._whisper.n_mels)
        self._view = ctranslate2.StorageView

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """States for each audio [frames], window by window. Raises UnavailableError when not loaded."""
        if self._whisper is None:
            raise UnavailableError(f"{self._name} is not loaded: call load(device, threads) first")
        return [self._judge_one(audio) for audio in batch]

    def close(self) -> None:
        """Free the model."""
        self._whisper = self._features = self._view = None

    def _judge_one(self, audio: Mono) -> Judgement:
        if audio.size == 0:
            return Judgement(refused="empty")
        if not np.isfinite(audio).all():
            return Judgement(refused="nan")
        if not audio.any():
            return Judgement(refused="silent")
        if audio.size < FRAME:
            return Judgement(refused="too-short")
        windows = [audio[start : start + self._window] for start in range(0, audio.size, self._window)]
        vectors = np.concatenate([self._encode(window) for window in windows if window.size >= FRAME])
        return Judgement(vectors=vectors, notes={"windows": len(windows)})

    def _encode(self, window: Mono) -> NDArray[np.float32]:
        """Samples of at most a window to states [samples // 320, dim]."""
        # One window at a time: with others beside it, products round differently.
        states = self._whisper.encode(self._view.from_array(self._mel(window)[None]), to_cpu=True)
        found: NDArray[np.float32] = np.array(states, dtype=np.float32)[0, : window.size // FRAME]
        return found

    def _mel(self, window: Mono) -> NDArray[np.float32]:
        """Samples to the log-mel [n_mels, 100 a second] of a whole window."""
        padded = np.pad(window, (0, self._window - window.size))
        return np.ascontiguousarray(self._features(padded, padding=0), dtype=np.float32)

    def _folder(self) -> Path:
        return Path(self._path) if self._path is not None else fetch(ASSET)

    def _identify(self) -> dict[str, str]:
        if self._path is None:
            return {"model.bin": weights(ASSET)["model.bin"]}
        file = Path(self._path) / "model.bin"
        try:
            return {"model.bin": sha256_of(file)}
        except OSError as error:
            raise UnavailableError(f"{self._name}: cannot read {file}: {error.strerror}") from error


def _size(judgement: Judgement) -> float:
    assert judgement.vectors is not None
    return float(np.linalg.norm(judgement.vectors.astype(np.float64)))


GOLDENS = (Golden("whisper-encoder", "norm of a spoken sentence's states", _size, 280.39, 0.5, "spoken"),)
