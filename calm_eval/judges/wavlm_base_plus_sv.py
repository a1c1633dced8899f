"""WavLM Base+ with an x-vector head: speaker vectors of transformers' microsoft/wavlm-base-plus-sv."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono
from calm_eval.judges.torch_judge import TorchJudge
from calm_eval.judges.torch_weights import TorchWeights
from calm_eval.judges.wav2vec_layers import FIELD, HOP
from calm_eval.judges.xvector_network import CONTEXT, DIMENSIONS, XVectorNetwork, build

SAMPLE_RATE = 16000
LEAST = FIELD + CONTEXT * HOP
"""Samples under which there is one frame behind the head or none: a deviation over time needs two."""


class WavlmBasePlusSvJudge(TorchJudge[XVectorNetwork]):
    """A vector [1, 512] of a whole clip at 16 kHz, not normalised. Not the SIM of papers on speech synthesis.

    Its cosines are about 0.9 for one speaker and 0.6 to 0.84 for two, where `wavlm-large-ecapa` has 0.6 to 0.7 and
    about 0. `path` is a checkpoint in place of the catalogue's; `random` a seed for weights that nobody trained, with
    which nothing is scored.

    Refuses `empty`, `nan`, `silent` and `too-short` (under 0.325 s).
    """

    def __init__(self, path: str | None = None, random: int | None = None) -> None:
        weights = TorchWeights("wavlm-base-plus-sv", "wavlm-base-plus-sv", "pytorch_model.bin", path, random)
        super().__init__(weights, LEAST)

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        return JudgeInfo(
            name="wavlm-base-plus-sv",
            output="embedding",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=weights,
            parameters={
                "level": "as it is",
                "windows": "the whole clip",
                "layers": "softmax sum of 13 states where the checkpoint has weights for it, else the last",
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

    def _opened(self, state: Mapping[str, Any], torch: Any, device: str) -> XVectorNetwork:
        return XVectorNetwork(state, torch, device)

    def _answer(self, audio: Mono, network: XVectorNetwork) -> Judgement:
        return Judgement(vectors=network(audio))
