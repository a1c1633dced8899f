"""UTMOS: the predicted opinion on how natural speech sounds, by the strong learner of UTMOS22."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono
from calm_eval.judges.torch_judge import TorchJudge
from calm_eval.judges.torch_weights import TorchWeights
from calm_eval.judges.utmos_network import UtmosNetwork, build
from calm_eval.judges.wav2vec_layers import FIELD

SAMPLE_RATE = 16000


class UtmosJudge(TorchJudge[UtmosNetwork]):
    """Score `mos` of a whole clip at 16 kHz: the mean over frames, about 1 to 5 and not bounded (Saeki et al. 2022).

    As SpeechMOS 1.2.0, with its resampler replaced by soxr. `path` is a checkpoint of SpeechMOS in place of the
    catalogue's; `random` a seed for weights that nobody trained, with which nothing is scored.

    Refuses `empty`, `nan`, `silent` and `too-short` (under 25 ms).
    """

    def __init__(self, path: str | None = None, random: int | None = None) -> None:
        weights = TorchWeights("utmos", "utmos22-strong", "utmos22_strong_step7459_v1.pt", path, random)
        super().__init__(weights, FIELD)

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        return JudgeInfo(
            name="utmos22-strong",
            output="scores",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=weights,
            parameters={
                "level": "as it is",
                "windows": "the whole clip, mean over frames",
                "listener": "the checkpoint's",
                "dtype": "float32",
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence="MIT",
            verified="code",
            unscored=self._weights.unscored,
        )

    def _built(self, torch: Any) -> Any:
        return build(torch)

    def _opened(self, state: Mapping[str, Any], torch: Any, device: str) -> UtmosNetwork:
        return UtmosNetwork(state, torch, device)

    def _answer(self, audio: Mono, network: UtmosNetwork) -> Judgement:
        opinions = network(audio)
        return Judgement(scores={"mos": float(opinions.mean(dtype=np.float64))}, notes={"frames": opinions.size})
