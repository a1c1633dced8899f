"""DNSMOS: predicted quality of speech (P.835 signal, background, overall; P.808 overall) without a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.assets import fetch
from calm_eval.audio.mel import MelSpectrogram, power_to_db
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.chosen_weights import chosen_weights
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.selftest.check import Golden

ASSET = "dnsmos"
P835_FILE = "sig_bak_ovr.onnx"
P808_FILE = "model_v8.onnx"
SAMPLE_RATE = 16000
WINDOW_SECONDS = 9.01
WINDOW = 144160
P808_CUT = 160
WINDOW_RULES = ("speechmos", "all", "once")

# Quadratic maps from the network's raw output to the rating scale, highest power first: the non-personalised set
# of microsoft/DNS-Challenge (DNSMOS/dnsmos_local.py), the same in speechmos 0.0.1.1.
POLYNOMIALS = {
    "sig": (-0.08397278, 1.22083953, 0.0052439),
    "bak": (-0.13166888, 1.60915514, -0.39604546),
    "ovrl": (-0.06766283, 1.11546468, 0.04602535),
}


def tile(audio: Mono) -> Mono:
    """Repeat samples [frames > 0] by doubling until they fill one window, as the reference does. Shape [>= 144160]."""
    doublings = max(0, int(np.ceil(np.log2(WINDOW / audio.size))))
    return np.tile(audio, 2**doublings)


def window_starts(frames: int, rule: str) -> tuple[list[int], int]:
    """First samples of the windows that are scored in `frames` >= 144160 samples, and how many are left out.

    Windows start each second and the last partial one is never scored. The reference rounds a window's end down from
    a float, which makes windows 7 to 23 and some from 119 on (starting at 7 s, ...) one sample short, and then leaves
    out what is short. Rule `speechmos` does the same, so that scores agree with published ones; `all` scores them, and
    `once` too, except that audio shorter than a window is scored in its first window alone (see DnsmosJudge).
    """
    count = int(frames // SAMPLE_RATE - WINDOW_SECONDS) + 1
    starts = [index * SAMPLE_RATE for index in range(count)]
    if rule != "speechmos":
        return starts, 0
    ends = [int((index + WINDOW_SECONDS) * SAMPLE_RATE) for index in range(count)]
    kept = [start for start, end in zip(starts, ends, strict=True) if end - start == WINDOW]
    return kept, count - len(kept)


class DnsmosJudge:
    """Scores `ovrl`, `sig`, `bak` (P.835) and `p808` of speech at 16 kHz, about 1 (bad) to 5 (excellent).

    The arithmetic of speechmos 0.0.1.1 (Reddy et al. 2021, 2022): 9.01-s windows each second over self-tiled audio,
    mean over windows. `windows` is one of `WINDOW_RULES` (see `window_starts`). Over audio shorter than a window, the
    windows of `speechmos` hold the same repeated clip from another phase; `once` takes the first of them, at about a
    fifth of the time, and its numbers have a name and a fingerprint of their own. `path` is a folder with both ONNX
    files, in place of the catalogue's; their sha256 are then the identity. Inference is on the CPU whatever the device.

    Refuses `empty` (no sample), `nan` (NaN or infinite samples) and `silent` (every sample zero: the networks rate it
    well). Samples outside [-1, 1], where speechmos raises, are clipped and counted in the notes.

    Raises InputError for an unknown window rule.
    """

    concurrent = True

    def __init__(self, path: str | None = None, windows: str = "speechmos") -> None:
        if windows not in WINDOW_RULES:
            raise InputError(f"dnsmos: windows is '{windows}', expected one of {', '.join(WINDOW_RULES)}")
        self.requires = Requires(("onnxruntime",), () if path is not None else (ASSET,))
        self._path = path
        self._windows = windows
        self._weights: Mapping[str, str] | None = None
        self._p835: Any = None
        self._p808: Any = None
        self._mel: MelSpectrogram | None = None

    @property
    def info(self) -> JudgeInfo:
        """Identity and parameters. Raises UnavailableError when a file of `path` cannot be read."""
        if self._weights is None:
            self._weights = chosen_weights("dnsmos", ASSET, self._path, (P835_FILE, P808_FILE))
        return JudgeInfo(
            name="dnsmos" if self._windows == "speechmos" else f"dnsmos/{self._windows}",
            output="scores",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=self._weights,
            parameters={
                "window_seconds": WINDOW_SECONDS,
                "hop_seconds": 1.0,
                "windows": self._windows,
                "short_audio": "self-tiled by doubling",
                "aggregate": "mean over windows",
                "polynomial": "non-personalised",
                "p808_mel": {"n_fft": 321, "hop": 160, "n_mels": 120, "top_db": 80.0, "cut_samples": P808_CUT},
                "outside_unit_range": "clipped",
                "refuses": ["empty", "nan", "silent"],
            },
            licence="CC-BY-4.0",
            verified="weights",
            proven="calm-eval, 2026-11: speechmos 0.0.1.1",
        )

    def load(self, device: str, threads: int) -> None:
        """Load both networks. Raises UnavailableError with the cause."""
        try:
            import onnxruntime
            from onnxruntime.capi import onnxruntime_pybind11_state as state
        except (ImportError, OSError, RuntimeError) as error:
            raise UnavailableError(
                f"dnsmos needs onnxruntime: install calm-eval[mini] ({type(error).__name__}: {error})"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # each call in its own thread
        options.inter_op_num_threads = 1
        folder = _folder(self._path)
        faults = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NoSuchFile,
                  state.NotImplemented, state.RuntimeException, OSError, RuntimeError)  # fmt: skip
        sessions = []
        for name in (P835_FILE, P808_FILE):
            try:
                sessions.append(
                    onnxruntime.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])
                )
            except faults as error:
                raise UnavailableError(f"dnsmos: cannot load {name}: {type(error).__name__}: {error}") from error
        self._p835, self._p808 = sessions
        self._mel = MelSpectrogram(SAMPLE_RATE, n_fft=321, hop=160, n_mels=120)

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """Scores for each audio [frames].

        Notes: `windows`, `distinct_windows`, `left_out_windows`, `clipped_samples`.
        Raises UnavailableError when not loaded.
        """
        return [self._judge_one(audio) for audio in batch]

    def close(self) -> None:
        """Free both networks."""
        self._p835 = self._p808 = self._mel = None

    def _judge_one(self, audio: Mono) -> Judgement:
        if audio.size == 0:
            return Judgement(refused="empty")
        if not np.isfinite(audio).all():
            return Judgement(refused="nan")
        if not audio.any():
            return Judgement(refused="silent")
        clipped = np.clip(audio, -1.0, 1.0)
        tiled = tile(clipped)
        starts, left_out = window_starts(tiled.size, self._windows)
        if self._windows == "once" and audio.size < WINDOW:
            starts, left_out = starts[:1], len(starts) - 1
        # Self-tiling makes windows repeat with the period of the clip; each distinct one is computed once.
        scored: dict[int, NDArray[np.float64]] = {}
        rows = []
        for start in starts:
            phase = start % audio.size
            if phase not in scored:
                scored[phase] = self._score(tiled[start : start + WINDOW])
            rows.append(scored[phase])
        means = np.mean(rows, axis=0)
        return Judgement(
            scores=dict(zip((*POLYNOMIALS, "p808"), means.tolist(), strict=True)),
            notes={
                "windows": len(starts),
                "distinct_windows": len(scored),
                "left_out_windows": left_out,
                "clipped_samples": int(np.count_nonzero(np.abs(audio) > 1.0)),
            },
        )

    def _score(self, window: Mono) -> NDArray[np.float64]:
        """Samples [144160] to sig, bak, ovrl, p808."""
        if self._p835 is None or self._mel is None:
            raise UnavailableError("dnsmos is not loaded: call load(device, threads) first")
        # One window at a time: the convolutions already fill a core, so a batch only costs memory.
        raw = self._p835.run(None, {"input_1": window[None].astype(np.float32)})[0][0].astype(np.float64)
        ratings = [np.polyval(POLYNOMIALS[name], value) for name, value in zip(POLYNOMIALS, raw, strict=True)]
        features = (power_to_db(self._mel(window[:-P808_CUT])).T + 40.0) / 40.0
        p808 = self._p808.run(None, {"input_1": features[None].astype(np.float32)})[0][0, 0]
        return np.array([*ratings, float(p808)])


def _folder(path: str | None) -> Path:
    if path is not None:
        return Path(path)
    return fetch(ASSET)


GOLDENS = (
    Golden("dnsmos", "overall, a spoken sentence", lambda j: j.scores["ovrl"], 2.9318, 2e-2, "spoken"),
    Golden("dnsmos", "overall, noise", lambda j: j.scores["ovrl"], 1.1024, 2e-2, "noise"),
    Golden("dnsmos", "P.808, a spoken sentence", lambda j: j.scores["p808"], 3.7778, 2e-2, "spoken"),
)
