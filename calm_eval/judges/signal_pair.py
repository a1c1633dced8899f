"""Judges without weights that hear a sample together with its reference or its prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from calm_eval.audio import chroma_cosine, log_mel_distance, pesq_stoi, repetition, scale_invariant_ratio
from calm_eval.audio.mono import SignalError
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires

SAMPLE_RATE = 16000
CUT_SECONDS = 0.1
"""A codec may round a length up to its frame: lengths that differ by less are cut to the shorter one."""

Quantity = Callable[[Mono, Mono, int], float]


class SignalPairJudge:
    """Scores of a sample over its reference, aligned sample by sample, at 16 kHz: a round trip's, not a generation's.

    `quantities` is `distance` (`si_sdr`, `si_snr`, `log_mel_distance`, `chroma_cosine`, `chroma_argmax_cosine`),
    `speech` (`pesq_wb`, `stoi`, `estoi`; packages pesq and pystoi) or `copy` (of a prompt: `waveform_copy`,
    `log_mel_copy`, the likest second of each). Lengths that differ by 0.1 s at most are cut to the shorter; a copy is
    looked for at any lengths. A quantity that is not defined is left out, and `notes["undefined"]` says why.

    Raises InputError for other quantities.
    """

    def __init__(self, quantities: str = "distance") -> None:
        if quantities not in _QUANTITIES:
            raise InputError(f"signal-pair: quantities is '{quantities}', expected one of {', '.join(_QUANTITIES)}")
        self._quantities = quantities
        packages = ("pesq", "pystoi") if quantities == "speech" else ()
        self.requires = Requires(packages, extra="speech-quality")

    @property
    def info(self) -> JudgeInfo:
        """Identity and every setting."""
        return JudgeInfo(
            name=_NAMES[self._quantities],
            output="scores",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights={},
            parameters={"cut_seconds": CUT_SECONDS, **_SETTINGS[self._quantities]},
            licence="Apache-2.0",
            verified="weights",
            proven="calm-eval, 2026-11: closed forms",
        )

    def load(self, device: str, threads: int) -> None:
        """Import what is needed. Raises UnavailableError with what to install."""
        for package in self.requires.packages:
            try:
                __import__(package)
            # Binary packages raise OSError or RuntimeError when they are broken, and ValueError under another NumPy.
            except (ImportError, OSError, RuntimeError, ValueError) as error:
                raise UnavailableError(f"{package} is missing: install calm-eval[speech-quality] ({error})") from error

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """Refused: one sound alone is no pair."""
        return [Judgement(refused="no-pair") for _ in batch]

    def judge_pairs(self, batch: Sequence[tuple[Mono, Mono]]) -> list[Judgement]:
        """Scores of each (sample, other)."""
        return [self._one(sample, other) for sample, other in batch]

    def close(self) -> None:
        """Nothing to free."""

    def _one(self, sample: Mono, other: Mono) -> Judgement:
        size = min(sample.size, other.size)
        if self._quantities != "copy" and abs(sample.size - other.size) <= CUT_SECONDS * SAMPLE_RATE:
            sample, other = sample[:size], other[:size]
        scores: dict[str, float] = {}
        undefined: dict[str, str] = {}
        for name, quantity in _QUANTITIES[self._quantities].items():
            try:
                scores[name] = quantity(sample, other, SAMPLE_RATE)
            except SignalError as error:
                undefined[name] = error.name
        return Judgement(scores=scores, notes={"undefined": undefined})


_QUANTITIES: Mapping[str, Mapping[str, Quantity]] = {
    "distance": {
        "si_sdr": scale_invariant_ratio.si_sdr,
        "si_snr": scale_invariant_ratio.si_snr,
        "log_mel_distance": log_mel_distance.log_mel_distance,
        "chroma_cosine": chroma_cosine.chroma_cosine,
        "chroma_argmax_cosine": chroma_cosine.chroma_argmax_cosine,
    },
    "speech": {"pesq_wb": pesq_stoi.pesq_wb, "stoi": pesq_stoi.stoi, "estoi": pesq_stoi.estoi},
    "copy": {
        "waveform_copy": lambda sample, prompt, rate: repetition.waveform_copy(sample, prompt, rate).correlation,
        "log_mel_copy": lambda sample, prompt, rate: repetition.log_mel_copy(sample, prompt, rate).correlation,
    },
}

_NAMES: Mapping[str, str] = {"distance": "signal-pair", "speech": "speech-pair", "copy": "prompt-copy"}

_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "distance": {
        "limit_db": scale_invariant_ratio.LIMIT_DB,
        "mel": {
            "window_seconds": log_mel_distance.WINDOW_SECONDS,
            "hop_seconds": log_mel_distance.HOP_SECONDS,
            "bands": log_mel_distance.BANDS,
            "range_db": log_mel_distance.RANGE_DB,
        },
        "chroma": {
            "window_seconds": chroma_cosine.WINDOW_SECONDS,
            "argmax_window": chroma_cosine.ARGMAX_WINDOW,
            "hops_a_window": chroma_cosine.HOPS_A_WINDOW,
            "quiet_db": chroma_cosine.QUIET_DB,
        },
    },
    "speech": {"pesq": "wide band, P.862.2", "longest_seconds": pesq_stoi.PESQ_LONGEST_SECONDS, "stoi_rate": 10000},
    "copy": {
        "patch_seconds": repetition.PATCH_SECONDS,
        "patch_step_seconds": repetition.PATCH_STEP_SECONDS,
        "silence_dbfs": repetition.SILENCE_DBFS,
    },
}


def speech_pair() -> SignalPairJudge:
    """Intelligibility and quality of speech over its reference."""
    return SignalPairJudge("speech")


def prompt_copy() -> SignalPairJudge:
    """How much of its prompt a continuation repeats."""
    return SignalPairJudge("copy")
