"""Distances of a sample to its own reference, signal against signal, and copies of its prompt; means over items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calm_eval.audio.log_mel_distance import log_mel_distance
from calm_eval.audio.scale_invariant_ratio import si_sdr
from calm_eval.metrics.protocol import ItemValue, Judged, MetricSpec, SampleView, refuse
from calm_eval.selftest.check import Check


@dataclass(frozen=True)
class PairSignal:
    """Mean over items of one score of a judge of pairs."""

    spec: MetricSpec
    beside: Judged

    def measure(self, view: SampleView) -> ItemValue:
        """The score, or the judge's reason why the quantity is not defined for this pair."""
        if view.failure is not None:
            return refuse(view.failure)
        judgement = view.judgements.get(self.beside)
        if judgement is None:
            return refuse(f"no-{self.beside.removeprefix('with_')}")
        if judgement.refused is not None:
            return refuse(f"judge:{judgement.refused}")
        if self.spec.name not in judgement.scores:
            return refuse(f"judge:{judgement.notes.get('undefined', {}).get(self.spec.name, 'no-value')}")
        return ItemValue(judgement.scores[self.spec.name], 1.0)


def _with_reference(
    name: str, title: str, unit: str, definition: str, judge: str, higher: bool, low: float, high: float | None = None
) -> PairSignal:
    return PairSignal(
        MetricSpec(
            name=name,
            title=title,
            unit=unit,
            higher_is_better=higher,
            kind="pair",
            version=1,
            low=low,
            high=high,
            needs=("reference",),
            judge=judge,
            judged=("with_reference",),
            definition=definition,
        ),
        "with_reference",
    )


def _copy(name: str, title: str, definition: str, low: float) -> PairSignal:
    return PairSignal(
        MetricSpec(
            name=name,
            title=title,
            unit="correlation",
            higher_is_better=False,
            kind="item",
            version=1,
            low=low,
            high=1.0,
            needs=("prompt",),
            judge="prompt-copy",
            judged=("with_prompt",),
            definition=definition,
        ),
        "with_prompt",
    )


_DISTANCE, _SPEECH = "signal-pair", "speech-pair"
SI_SDR = _with_reference(
    "si_sdr", "SI-SDR", "dB", "scale-invariant signal-to-distortion ratio", _DISTANCE, True, -120.0
)
SI_SNR = _with_reference("si_snr", "SI-SNR", "dB", "as SI-SDR, each sound without its mean", _DISTANCE, True, -120.0)
LOG_MEL_DISTANCE = _with_reference(
    "log_mel_distance", "Log-mel distance", "dB", "mean absolute difference of log-mel bands", _DISTANCE, False, 0.0
)
CHROMA_COSINE = _with_reference(
    "chroma_cosine", "Chroma cosine", "cosine", "mean over frames of the cosine of chroma", _DISTANCE, True, 0.0, 1.0
)
CHROMA_ARGMAX_COSINE = _with_reference(
    "chroma_argmax_cosine",
    "Chroma cosine, argmax",
    "share",
    "share of frames with the same strongest pitch class",
    _DISTANCE,
    True,
    0.0,
    1.0,
)
PESQ_WB = _with_reference("pesq_wb", "PESQ-WB", "MOS-LQO", "ITU-T P.862.2", _SPEECH, True, 1.0, 4.65)
STOI = _with_reference("stoi", "STOI", "score", "short-time objective intelligibility", _SPEECH, True, -1.0, 1.0)
ESTOI = _with_reference("estoi", "ESTOI", "score", "extended STOI", _SPEECH, True, -1.0, 1.0)
WAVEFORM_COPY = _copy(
    "waveform_copy", "Prompt copy", "likest second of the continuation and its prompt, samples correlated", 0.0
)
LOG_MEL_COPY = _copy(
    "log_mel_copy", "Prompt copy, log-mel", "likest second of the continuation and its prompt, log-mel correlated", -1.0
)


def _noise() -> NDArray[np.float64]:
    return np.asarray(0.1 * np.sin(np.arange(16000.0) ** 1.7))


def _noise_at_a_right_angle() -> float:
    """A sine and a tenth of its cosine: 20 dB."""
    phase = 2 * np.pi * np.arange(1000) / 100
    return si_sdr(np.sin(phase) + 0.1 * np.cos(phase), np.sin(phase), 16000)


CHECKS = (
    Check("SI-SDR of a sine with a tenth of its cosine", _noise_at_a_right_angle, 20.0, 1e-9),
    Check(
        "log-mel distance of a gain of 6 dB on one",
        lambda: log_mel_distance(2 * _noise(), _noise(), 16000),
        20 * np.log10(2),
        1e-3,
    ),
)
