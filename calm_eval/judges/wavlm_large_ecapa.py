"""WavLM-large with ECAPA-TDNN: the speaker vectors of seed-tts-eval's and F5-TTS's SIM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from calm_eval.errors import InputError
from calm_eval.judges.ecapa_network import DIMENSIONS, EcapaNetwork, build
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono
from calm_eval.judges.torch_judge import TorchJudge
from calm_eval.judges.torch_weights import TorchWeights
from calm_eval.judges.wav2vec_layers import FIELD, HOP

SAMPLE_RATE = 16000
LEAST = FIELD + HOP
"""Samples under which there is one frame or none: a variance over time needs two."""


class WavlmLargeEcapaJudge(TorchJudge[EcapaNetwork]):
    """A vector [1, 256] of a whole clip at 16 kHz (Chen et al. 2022; UniSpeech's fine-tuned checkpoint).

    The clip is brought to mean 0 and variance 1 first: blind to level. A checkpoint that lacks a single tensor is
    refused: the tools load what matches and draw the rest at random. With `segment_seconds`, a vector for each segment
    of this length [segments, 256] as in tts_longeval, whose last one may be shorter, but not than `least_seconds`; the
    note `seconds` has their durations. `path` is a checkpoint in place of the catalogue's; `random` a seed for weights
    that nobody trained, with which nothing is scored.

    Refuses `empty`, `nan`, `silent` and `too-short` (under 45 ms; of segments, under `least_seconds`; a voice needs a
    second or more). Raises InputError for segments shorter than their least.
    """

    def __init__(
        self,
        segment_seconds: float | None = None,
        least_seconds: float = 1.0,
        path: str | None = None,
        random: int | None = None,
    ) -> None:
        if segment_seconds is not None and not LEAST / SAMPLE_RATE <= least_seconds <= segment_seconds:
            raise InputError(
                f"judge 'wavlm-large-ecapa': segments of {segment_seconds:g} s, of at least {least_seconds:g} s; "
                f"the least lies between {LEAST / SAMPLE_RATE:g} s and a segment"
            )
        self._segment = None if segment_seconds is None else round(segment_seconds * SAMPLE_RATE)
        least = LEAST if segment_seconds is None else round(least_seconds * SAMPLE_RATE)
        weights = TorchWeights("wavlm-large-ecapa", "wavlm-large-ecapa", "wavlm_large_finetune.pth", path, random)
        super().__init__(weights, least)

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        return JudgeInfo(
            name="wavlm-large-ecapa" + self._length(),
            output="embedding",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=weights,
            parameters={
                "level": "mean 0, variance 1 over a window",
                "windows": "the whole clip"
                if self._segment is None
                else f"{self._segment} samples, one after the other, the last one {self._least} or more, or left out",
                "layers": "softmax sum of 25 states, the last one normalised",
                "output": f"{DIMENSIONS} numbers, not normalised",
                "dtype": "float32",
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence="CC-BY-SA-3.0",
            verified="code",
            unscored=self._weights.unscored,
        )

    def _built(self, torch: Any) -> Any:
        return build(torch)

    def _opened(self, state: Mapping[str, Any], torch: Any, device: str) -> EcapaNetwork:
        return EcapaNetwork(state, torch, device)

    def _answer(self, audio: Mono, network: EcapaNetwork) -> Judgement:
        if self._segment is None:
            return Judgement(vectors=network(audio))
        segments = [audio[start : start + self._segment] for start in range(0, audio.size, self._segment)]
        heard = [segment for segment in segments if segment.size >= self._least]
        seconds = [segment.size / SAMPLE_RATE for segment in heard]
        return Judgement(vectors=np.concatenate([network(one) for one in heard]), notes={"seconds": seconds})

    def _length(self) -> str:
        if self._segment is None:
            return ""
        return f"/{self._segment / SAMPLE_RATE:g}s-{self._least / SAMPLE_RATE:g}s"


def tts_longeval(path: str | None = None, random: int | None = None) -> WavlmLargeEcapaJudge:
    """In segments of 30 s of which the last one has a second or more: tts_longeval's defaults."""
    return WavlmLargeEcapaJudge(30.0, 1.0, path, random)
