"""Embeddings of sound effects with aiSFX: own front end and network, the original's weights."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.assets import fetch
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.aisfx_front_end import HOP, LARGEST, N_FFT, SAMPLE_RATE, AisfxLogMel
from calm_eval.judges.aisfx_network import FRAMES, N_MELS, AisfxNetwork
from calm_eval.judges.chosen_weights import chosen_weights
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.judges.unreadable import cause
from calm_eval.selftest.check import Golden

ASSET = "aisfx"
WEIGHTS_FILE = "checkpoint.pth"
HOP_FRAMES = 50
MIN_SAMPLES = (HOP_FRAMES - 1) * HOP + 1
"""Samples under 51 mel frames, the fewest that the package takes: 1.14 s."""


def window_starts(frames: int) -> list[int]:
    """First mel frame of each window, for `frames` > 0: windows of 100 frames, 50 apart, the rest dropped.

    There is always one window; with fewer than 100 frames it is filled up.
    """
    return list(range(0, max(0, frames - FRAMES) + 1, HOP_FRAMES))


class AisfxJudge:
    """Embeddings [windows, 512], every number >= 0, of audio at 44.1 kHz (Ma and Lerch 2022, X-Sequential-CE).

    Windows of 100 mel frames (2.32 s), one each 50 frames (1.16 s), as by aisfx 0.1.2. What is left after the last
    whole window is dropped; a clip under one window is filled up with silence. The level is left as it is, and the
    answer depends on it; samples beyond full scale are clipped. `path` is a checkpoint file in place of the
    catalogue's; its sha256 is then the identity.

    Refuses `empty` (no sample), `nan` (NaN or infinite samples), `silent` (every sample zero) and `too-short` (under
    `MIN_SAMPLES`; the package ends with an error there). Notes: `windows`, `dropped_seconds`.
    """

    def __init__(self, path: str | None = None) -> None:
        self.requires = Requires(("torch",), () if path is not None else (ASSET,))
        self._path = path
        self._weights: Mapping[str, str] | None = None
        self._network: AisfxNetwork | None = None
        self._log_mel: AisfxLogMel | None = None

    @property
    def info(self) -> JudgeInfo:
        """Identity and parameters. Raises UnavailableError when `path` cannot be read."""
        if self._weights is None:
            self._weights = chosen_weights("aisfx", ASSET, self._path)
        return JudgeInfo(
            name="aisfx",
            output="embedding",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=self._weights,
            parameters={
                "level": "as it is, clipped at full scale",
                "mel": {
                    "n_fft": N_FFT,
                    "hop": HOP,
                    "n_mels": N_MELS,
                    "window": "Hann, symmetric",
                    "filters": "HTK mels, triangles over mels, each sums to 1",
                    "scale": f"log10(1 + 10000 power) / {LARGEST}",
                },
                "window_frames": FRAMES,
                "hop_frames": HOP_FRAMES,
                "tail": "dropped; a clip under one window is filled up with silence",
                "min_samples": MIN_SAMPLES,
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence="CC-BY-4.0",
            verified="weights",
            proven="calm-eval, 2026-11: aisfx 0.1.2",
        )

    def load(self, device: str, threads: int) -> None:
        """Load the network. Raises UnavailableError with what to install or fetch, or what is wrong with a file."""
        try:
            import torch
        except (ImportError, OSError, RuntimeError) as error:
            raise UnavailableError(
                f"aisfx needs torch: install calm-eval[mini] ({type(error).__name__}: {error})"
            ) from error
        torch.set_num_threads(threads)
        file = Path(self._path) if self._path is not None else fetch(ASSET) / WEIGHTS_FILE
        try:
            self._network = AisfxNetwork(_read(file, torch), torch, device)
        except (OSError, RuntimeError, InputError, pickle.UnpicklingError, EOFError, TypeError, ValueError) as error:
            again = f"remove it and run `calm-eval assets fetch {ASSET}`"
            told = "give another `path`" if self._path is not None else again
            raise UnavailableError(f"aisfx: cannot load {file} safely on {device} ({cause(error)}); {told}") from error
        self._log_mel = AisfxLogMel()

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """Vectors for each audio [frames], each window by itself. Raises UnavailableError when not loaded."""
        if self._network is None or self._log_mel is None:
            raise UnavailableError("aisfx is not loaded: call load(device, threads) first")
        return [self._judge_one(audio, self._network, self._log_mel) for audio in batch]

    def close(self) -> None:
        """Free the network."""
        self._network = self._log_mel = None

    def _judge_one(self, audio: Mono, network: AisfxNetwork, log_mel: AisfxLogMel) -> Judgement:
        if audio.size == 0:
            return Judgement(refused="empty")
        if not np.isfinite(audio).all():
            return Judgement(refused="nan")
        if not audio.any():
            return Judgement(refused="silent")
        if audio.size < MIN_SAMPLES:
            return Judgement(refused="too-short")
        mel = log_mel(audio).astype(np.float32)
        starts = window_starts(len(mel))
        end = starts[-1] + FRAMES
        mel = np.pad(mel, ((0, max(0, end - len(mel))), (0, 0)))
        # One window at a time: with others beside it, products round differently.
        vectors: NDArray[np.float32] = np.stack([network(mel[start : start + FRAMES]) for start in starts])
        dropped = max(0, audio.size - end * HOP) / SAMPLE_RATE
        return Judgement(vectors=vectors, notes={"windows": len(starts), "dropped_seconds": dropped})


def _read(file: Path, torch: Any) -> Mapping[str, Any]:
    """The tensors of a checkpoint by name, read as data only.

    The file is a pair: tensors, and the training corpora with a NumPy integer each, whose type must be allowed.
    """
    make_scalar = np.int64(0).__reduce__()[0]
    allowed = [(make_scalar, "numpy.core.multiarray.scalar"), np.dtype, np.dtypes.Int64DType]
    # As a stream: by its name, PyTorch hands a file over to safetensors, whose errors are others.
    with torch.serialization.safe_globals(allowed), file.open("rb") as stream:
        loaded = torch.load(stream, map_location="cpu", weights_only=True)
    if not isinstance(loaded, tuple | list) or len(loaded) != 2 or not isinstance(loaded[0], Mapping):
        raise InputError("not a pair of tensors and corpora")
    return {name: value for name, value in loaded[0].items() if isinstance(value, torch.Tensor)}


def _largest(judgement: Judgement) -> float:
    assert judgement.vectors is not None
    return float(judgement.vectors.max())


GOLDENS = (
    Golden("aisfx", "largest entry of a chord's embeddings", _largest, 5.6370, 2e-3, "chord"),
    Golden("aisfx", "largest entry of a noise's embeddings", _largest, 4.4384, 2e-3, "noise"),
)
