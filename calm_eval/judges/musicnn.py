"""Music tags and music embeddings with musicnn: own front end and network, the original's weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calm_eval.assets import fetch
from calm_eval.audio.mel import MelSpectrogram
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.chosen_weights import chosen_weights
from calm_eval.judges.musicnn_network import FRAMES, N_MELS, TAGS, MusicnnNetwork, tensor_shapes
from calm_eval.judges.musicnn_tags import LISTS, read_tags
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.judges.tensorflow_bundle import read_index, read_tensors
from calm_eval.selftest.check import Golden

ASSETS = {"MTT": "musicnn-mtt", "MSD": "musicnn-msd"}
INDEX_FILE = "model.index"
DATA_FILE = "model.data-00000-of-00001"
TAGS_FILE = "configuration.py"
OUTPUTS = ("tags", "embedding")
SAMPLE_RATE = 16000
N_FFT = 512
HOP = 256
MIN_SAMPLES = (FRAMES - 1) * HOP
"""Samples that give one window: 2.976 s."""


def log_mel(audio: Mono, mel: MelSpectrogram) -> NDArray[np.float32]:
    """Samples [frames > 0] to log10(1 + 10000 mel power), shape [1 + frames // 256, 96].

    The powers are rounded to float16 first, as musicnn 0.1.0 does. The product is taken in float32, as with the NumPy
    it was written for; with NumPy 2 the same line of the package overflows in float16 and all tags become constants.
    """
    power = mel(audio).T.astype(np.float16).astype(np.float32)
    scaled: NDArray[np.float32] = np.log10(np.float32(10000) * power + np.float32(1))
    return scaled


def tag_names(model: str = "MTT", path: str | None = None) -> tuple[str, ...]:
    """The 50 tags of a model, in the order of its vectors. Raises as `MusicnnJudge` and its `load`."""
    _check_model(model)
    file = _folder(model, path) / TAGS_FILE
    try:
        tags = read_tags(file, model)
    except (OSError, InputError) as error:
        raise UnavailableError(f"musicnn: {error}") from error
    if len(tags) != TAGS:
        raise UnavailableError(f"musicnn: {file} lists {len(tags)} tags, the network has {TAGS}")
    return tags


class MusicnnJudge:
    """Music tags [windows, 50] or embeddings [windows, 200] of audio at 16 kHz (Pons and Serra 2019).

    `model` is `MTT` (tags of MagnaTagATune) or `MSD` (Million Song Dataset). `output` is `tags` (a probability for each
    of `tag_names(model)`; they are independent, so a row does not sum to 1) or `embedding` (the penultimate layer,
    after its batch normalisation). Windows of 187 mel frames (3 s) follow each other without overlap and the rest of
    the audio is dropped, as by musicnn 0.1.0. The level is left as it is, and the answer depends on it. `path` is a
    folder with `model.index`, `model.data-00000-of-00001` and `configuration.py` in place of the catalogue's; their
    sha256 are then the identity.

    Refuses `empty` (no sample), `nan` (NaN or infinite samples), `silent` (every sample zero) and `too-short` (under
    `MIN_SAMPLES`; the package ends with an error there). Notes: `windows`, `dropped_seconds`.

    Raises InputError for an unknown model or output.
    """

    concurrent = True

    def __init__(self, model: str = "MTT", output: str = "tags", path: str | None = None) -> None:
        _check_model(model)
        if output not in OUTPUTS:
            raise InputError(f"musicnn: output is '{output}', expected one of {', '.join(OUTPUTS)}")
        self.requires = Requires(("torch",), () if path is not None else (ASSETS[model],))
        self._model = model
        self._output = output
        self._path = path
        self._weights: Mapping[str, str] | None = None
        self._network: MusicnnNetwork | None = None
        self._mel: MelSpectrogram | None = None

    @property
    def info(self) -> JudgeInfo:
        """Identity and parameters. Raises UnavailableError when a file of `path` cannot be read."""
        if self._weights is None:
            self._weights = chosen_weights(
                "musicnn", ASSETS[self._model], self._path, (INDEX_FILE, DATA_FILE, TAGS_FILE)
            )
        return JudgeInfo(
            name=_name(self._model, self._output),
            output=self._output,
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=self._weights,
            parameters={
                "model": self._model,
                "level": "as it is",
                "mel": {
                    "n_fft": N_FFT,
                    "hop": HOP,
                    "n_mels": N_MELS,
                    "scale": "log10(1 + 10000 power), power in float16",
                },
                "window_frames": FRAMES,
                "hop_frames": FRAMES,
                "tail": "dropped",
                "min_samples": MIN_SAMPLES,
                "vectors": "sigmoid of the logits" if self._output == "tags" else "penultimate layer, normalised",
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence="ISC",
            verified="weights",
            proven="calm-eval, 2026-11: musicnn 0.1.0",
        )

    def load(self, device: str, threads: int) -> None:
        """Load the network. Raises UnavailableError with what to install or fetch, or what is wrong with a file."""
        try:
            import torch
        except (ImportError, OSError, RuntimeError) as error:
            raise UnavailableError(
                f"musicnn needs torch: install calm-eval[mini] ({type(error).__name__}: {error})"
            ) from error
        torch.set_num_threads(1)  # each call in its own thread
        folder = _folder(self._model, self._path)
        try:
            entries = read_index(folder / INDEX_FILE)
            # The optimiser's moments, two thirds of the file, are left where they are.
            wanted = {name: entries[name] for name in tensor_shapes() if name in entries}
            self._network = MusicnnNetwork(read_tensors(folder / DATA_FILE, wanted), torch, device)
        except (OSError, RuntimeError, InputError) as error:
            raise UnavailableError(f"musicnn: cannot load {folder} on {device}: {error}") from error
        self._mel = MelSpectrogram(SAMPLE_RATE, n_fft=N_FFT, hop=HOP, n_mels=N_MELS)

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """Vectors for each audio [frames], each window by itself. Raises UnavailableError when not loaded."""
        if self._network is None or self._mel is None:
            raise UnavailableError("musicnn is not loaded: call load(device, threads) first")
        return [self._judge_one(audio, self._network, self._mel) for audio in batch]

    def close(self) -> None:
        """Free the network."""
        self._network = self._mel = None

    def _judge_one(self, audio: Mono, network: MusicnnNetwork, mel: MelSpectrogram) -> Judgement:
        if audio.size == 0:
            return Judgement(refused="empty")
        if not np.isfinite(audio).all():
            return Judgement(refused="nan")
        if not audio.any():
            return Judgement(refused="silent")
        if audio.size < MIN_SAMPLES:
            return Judgement(refused="too-short")
        frames = log_mel(audio, mel)
        windows = len(frames) // FRAMES
        rows = [network(frames[number * FRAMES : (number + 1) * FRAMES]) for number in range(windows)]
        vectors = np.stack([row[1] if self._output == "tags" else row[0] for row in rows])
        dropped = max(0, audio.size - windows * FRAMES * HOP) / SAMPLE_RATE
        return Judgement(vectors=vectors, notes={"windows": windows, "dropped_seconds": dropped})


def musicnn_mtt() -> MusicnnJudge:
    """Embeddings of the MagnaTagATune model."""
    return MusicnnJudge("MTT", "embedding")


def musicnn_mtt_tags() -> MusicnnJudge:
    """Tags of the MagnaTagATune model."""
    return MusicnnJudge("MTT", "tags")


def musicnn_msd() -> MusicnnJudge:
    """Embeddings of the Million Song Dataset model."""
    return MusicnnJudge("MSD", "embedding")


def musicnn_msd_tags() -> MusicnnJudge:
    """Tags of the Million Song Dataset model."""
    return MusicnnJudge("MSD", "tags")


def _name(model: str, output: str) -> str:
    return f"musicnn-{model.lower()}" if output == "embedding" else f"musicnn-{model.lower()}-{output}"


def _check_model(model: str) -> None:
    if model not in LISTS:
        raise InputError(f"musicnn: model is '{model}', expected one of {', '.join(LISTS)}")


def _folder(model: str, path: str | None) -> Path:
    return Path(path) if path is not None else fetch(ASSETS[model])


def _largest(judgement: Judgement) -> float:
    assert judgement.vectors is not None
    return float(judgement.vectors.max())


GOLDENS = (
    Golden("musicnn-mtt-tags", "likeliest tag of a chord", _largest, 0.6390, 2e-3, "chord"),
    Golden("musicnn-mtt-tags", "likeliest tag of noise", _largest, 0.4706, 2e-3, "noise"),
    Golden("musicnn-msd-tags", "likeliest tag of a chord", _largest, 0.3861, 2e-3, "chord"),
    Golden("musicnn-mtt", "largest entry of a chord's embedding", _largest, 2.0074, 5e-3, "chord"),
    Golden("musicnn-msd-tags", "likeliest tag of a tone", _largest, 0.3512, 2e-3, "tone"),
)
