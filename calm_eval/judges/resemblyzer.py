"""Speaker vectors with the GE2E encoder of Resemblyzer: own front end and network, the original's weights."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.assets import fetch
from calm_eval.audio.mel import MelSpectrogram
from calm_eval.errors import UnavailableError
from calm_eval.judges.chosen_weights import chosen_weights
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.judges.unreadable import cause
from calm_eval.selftest.check import Golden

ASSET = "resemblyzer"
WEIGHTS_FILE = "pretrained.pt"
SAMPLE_RATE = 16000
LEVEL_DBFS = -30.0
VAD_WINDOW = 480
VAD_MODE = 3
VAD_AVERAGE = 8
VAD_DILATION = 7
HOP = 160
N_MELS = 40
PARTIAL_FRAMES = 160
PARTIALS_PER_SECOND = 1.3
MIN_COVERAGE = 0.75
MIN_VOICED_SECONDS = 0.4
"""Under this, a vector says little of its speaker."""

_FORWARD_ROWS = 64
_TRAINING_ONLY = {"similarity_weight", "similarity_bias"}


def raise_level(audio: Mono) -> Mono:
    """Samples [frames], not all zero, raised to an RMS of -30 dBFS; louder audio is left as it is."""
    rms = np.sqrt(np.mean(audio.astype(np.float64) ** 2))
    gain = 10 ** (LEVEL_DBFS / 20) / rms
    return audio if gain <= 1.0 else audio * np.float32(gain)


def voiced_mask(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which 30-ms windows are kept, from the detector's flag for each, shape [windows].

    A window is voiced when more than half of the eight around it are (three before, four after); three windows on
    either side of a voiced one are kept as well, so pauses of up to 0.18 s survive whole.
    """
    if flags.size == 0:
        return flags
    padded = np.pad(flags.astype(np.int64), ((VAD_AVERAGE - 1) // 2, VAD_AVERAGE // 2))
    voiced = np.convolve(padded, np.ones(VAD_AVERAGE, dtype=np.int64), mode="valid") > VAD_AVERAGE // 2
    reach = VAD_DILATION // 2
    kept: NDArray[np.bool_] = np.convolve(voiced, np.ones(VAD_DILATION), mode="full")[reach : reach + flags.size] > 0
    return kept


def partial_starts(frames: int) -> list[int]:
    """First mel frame of each 1.6-s partial that is embedded, for `frames` > 0 samples.

    Partials follow each other at 1.3 per second; the last one is dropped when samples fill under 0.75 of it, unless it
    is the only one.
    """
    step = round(SAMPLE_RATE / PARTIALS_PER_SECOND / HOP)
    mel_frames = -(-(frames + 1) // HOP)
    starts = list(range(0, max(1, mel_frames - PARTIAL_FRAMES + step + 1), step))
    covered = (frames - starts[-1] * HOP) / (PARTIAL_FRAMES * HOP)
    return starts[:-1] if covered < MIN_COVERAGE and len(starts) > 1 else starts


class ResemblyzerJudge:
    """Speaker vectors [1, 256], unit norm and non-negative, of speech at 16 kHz (Wan et al. 2018, GE2E).

    The route of Resemblyzer 0.1.4: level raised to -30 dBFS, long pauses cut with WebRTC's voice detector, 40 mel
    powers, 1.6-s partials, mean of the partials' vectors. `path` is a checkpoint file in place of the catalogue's; its
    sha256 is then the identity.

    Refuses `empty` (no sample), `nan` (NaN or infinite samples), `silent` (every sample zero), `no-voice` (the detector
    keeps nothing, or the network answers with zeros) and `too-short` (under `MIN_VOICED_SECONDS` left). Notes:
    `voiced_seconds`, `partials`.
    """

    def __init__(self, path: str | None = None) -> None:
        self.requires = Requires(("torch", "webrtcvad"), () if path is not None else (ASSET,))
        self._path = path
        self._weights: Mapping[str, str] | None = None
        self._network: Any = None
        self._torch: Any = None
        self._vad: Any = None
        self._device = "cpu"
        self._mel: MelSpectrogram | None = None

    @property
    def info(self) -> JudgeInfo:
        """Identity and parameters. Raises UnavailableError when `path` cannot be read."""
        if self._weights is None:
            self._weights = chosen_weights("resemblyzer", ASSET, self._path)
        return JudgeInfo(
            name="resemblyzer",
            output="embedding",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=self._weights,
            parameters={
                "level": "RMS raised to -30 dBFS, never lowered",
                "trim": "WebRTC VAD mode 3, 30-ms windows, average 8, dilation 7; beyond full scale clipped for it",
                "mel": {"n_fft": 400, "hop": HOP, "n_mels": N_MELS, "scale": "power"},
                "partial_seconds": 1.6,
                "partials_per_second": PARTIALS_PER_SECOND,
                "min_coverage": MIN_COVERAGE,
                "min_voiced_seconds": MIN_VOICED_SECONDS,
                "aggregate": "L2-normalised mean over partials",
                "refuses": ["empty", "nan", "silent", "no-voice", "too-short"],
            },
            licence="Apache-2.0",
            verified="weights",
            proven="calm-eval, 2026-11: Resemblyzer 0.1.4",
        )

    def load(self, device: str, threads: int) -> None:
        """Load the network as data only, with every weight present. Raises UnavailableError with the cause."""
        try:
            import torch
            import webrtcvad
        except (ImportError, OSError, RuntimeError) as error:
            raise UnavailableError(
                f"resemblyzer needs torch and webrtcvad: install calm-eval[mini] ({type(error).__name__}: {error})"
            ) from error
        torch.set_num_threads(threads)
        file = _file(self._path)
        try:
            # As a stream: by its name, PyTorch hands a file over to safetensors, whose errors are others.
            with file.open("rb") as stream:
                state = torch.load(stream, map_location="cpu", weights_only=True)["model_state"]
            network = torch.nn.ModuleDict(
                {"lstm": torch.nn.LSTM(N_MELS, 256, 3, batch_first=True), "linear": torch.nn.Linear(256, 256)}
            )
            wrong = set(network.state_dict()) ^ (set(state) - _TRAINING_ONLY)
            if wrong:
                raise UnavailableError(f"resemblyzer: {file} lacks, or has beyond them, the weights {sorted(wrong)}")
            network.load_state_dict({name: state[name] for name in network.state_dict()})
            self._network = network.to(device).eval()
        except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError) as error:
            raise UnavailableError(f"resemblyzer: cannot load {file} safely on {device} ({cause(error)})") from error
        self._torch, self._vad, self._device = torch, webrtcvad.Vad, device
        self._mel = MelSpectrogram(SAMPLE_RATE, n_fft=400, hop=HOP, n_mels=N_MELS)

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """One vector [1, 256] for each audio [frames]. Raises UnavailableError when not loaded.

        Each audio goes through the network by itself: matrix products round differently with other rows beside them,
        and a judgement must not depend on its neighbours.
        """
        if self._network is None:
            raise UnavailableError("resemblyzer is not loaded: call load(device, threads) first")
        return [self._judge_one(audio) for audio in batch]

    def close(self) -> None:
        """Free the network."""
        self._network = self._vad = self._torch = self._mel = None

    def _judge_one(self, audio: Mono) -> Judgement:
        if audio.size == 0:
            return Judgement(refused="empty")
        if not np.isfinite(audio).all():
            return Judgement(refused="nan")
        if not audio.any():
            return Judgement(refused="silent")
        voiced = self._trim(raise_level(audio))
        seconds = voiced.size / SAMPLE_RATE
        if voiced.size == 0:
            return Judgement(refused="no-voice")
        if seconds < MIN_VOICED_SECONDS:
            return Judgement(refused="too-short", notes={"voiced_seconds": seconds})
        starts = partial_starts(voiced.size)
        end = (starts[-1] + PARTIAL_FRAMES) * HOP
        assert self._mel is not None
        mel = self._mel(np.pad(voiced, (0, max(0, end - voiced.size)))).T.astype(np.float32)
        rows = self._forward(np.stack([mel[start : start + PARTIAL_FRAMES] for start in starts]))
        return _pool(rows, seconds)

    def _trim(self, audio: Mono) -> Mono:
        windows = audio[: audio.size // VAD_WINDOW * VAD_WINDOW].reshape(-1, VAD_WINDOW)
        # The original lets a raised peak wrap around in 16 bits; clipping keeps its sign.
        pcm = np.clip(np.round(windows * np.float32(32767)), -32768, 32767).astype("<i2")
        # The detector adapts as it hears: one for each audio, or a clip would depend on its neighbours.
        detector = self._vad(VAD_MODE)
        flags = np.array([detector.is_speech(window.tobytes(), SAMPLE_RATE) for window in pcm], dtype=bool)
        return windows[voiced_mask(flags)].reshape(-1)

    def _forward(self, mels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mel powers [rows, 160, 40] to unit vectors [rows, 256]: last LSTM state, linear, ReLU, L2 (GE2E, 2.1)."""
        torch = self._torch
        outputs = []
        with torch.inference_mode():
            for first in range(0, len(mels), _FORWARD_ROWS):
                rows = torch.from_numpy(mels[first : first + _FORWARD_ROWS]).to(self._device)
                _, (hidden, _) = self._network["lstm"](rows)
                raw = torch.relu(self._network["linear"](hidden[-1]))
                outputs.append(torch.nn.functional.normalize(raw, dim=1).cpu().numpy())
        vectors: NDArray[np.float32] = np.concatenate(outputs)
        return vectors


def _pool(rows: NDArray[np.float32], voiced_seconds: float) -> Judgement:
    notes = {"voiced_seconds": voiced_seconds, "partials": len(rows)}
    mean = rows.astype(np.float64).mean(axis=0)
    norm = np.linalg.norm(mean)
    if norm == 0.0:
        return Judgement(refused="no-voice", notes=notes)
    return Judgement(vectors=(mean / norm).astype(np.float32)[None], notes=notes)


def _file(path: str | None) -> Path:
    if path is not None:
        return Path(path)
    return fetch(ASSET) / WEIGHTS_FILE


def _largest(judgement: Judgement) -> float:
    assert judgement.vectors is not None
    return float(judgement.vectors.max())


GOLDENS = (Golden("resemblyzer", "largest entry of a spoken sentence's vector", _largest, 0.3343, 2e-3, "spoken"),)
