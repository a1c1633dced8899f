"""PANNs as audioldm_eval asks it: every clip less its mean, and no shorter than two seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from calm_eval.judges.level import centred
from calm_eval.judges.panns import PannsJudge
from calm_eval.judges.panns_network import PannsNetwork
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono

LEAST_SAMPLES = 32000
"""At 16 kHz two seconds, at 32 kHz one (audioldm_eval/datasets/load_mel.py)."""


class PannsAudioldmJudge(PannsJudge):
    """`panns` at 16 kHz or 32 kHz with what audioldm_eval does before: the mean taken off, then zeros up to 32,000
    samples. `output` embedding [1, 2048] or logits [1, 527]. The tool hears the first channel and resamples with
    torchaudio; this hears the mean of all, by soxr.

    Refuses `empty`, `nan`, `silent`.
    """

    def __init__(
        self, sample_rate: int = 16000, output: str = "embedding", path: str | None = None, random: int | None = None
    ) -> None:
        super().__init__(sample_rate, output, path, random)
        self._least = 1

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        info = super().described(weights)
        before = {"level": "less its mean", "least": f"zeros up to {LEAST_SAMPLES} samples"}
        parameters = {**info.parameters, **before, "refuses": ["empty", "nan", "silent"]}
        return replace(info, name=f"{info.name}/audioldm", parameters=parameters)

    def _answer(self, audio: Mono, network: PannsNetwork) -> Judgement:
        filled = np.zeros(max(audio.size, LEAST_SAMPLES), dtype=np.float32)
        filled[: audio.size] = centred(audio)
        return super()._answer(filled, network)


def panns_audioldm_logits(sample_rate: int = 16000, path: str | None = None, random: int | None = None) -> PannsJudge:
    """The judge with the logits of its tags, of which audioldm_eval takes its inception score."""
    return PannsAudioldmJudge(sample_rate, "logits", path, random)
