"""PANNs Cnn14: one embedding a clip, or how likely each of AudioSet's 527 tags is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import InputError
from calm_eval.judges.panns_front_end import LOWEST_HZ, N_MELS, RATES
from calm_eval.judges.panns_network import PannsNetwork, build
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono
from calm_eval.judges.torch_judge import TorchJudge
from calm_eval.judges.torch_weights import TorchWeights

LEAST_FRAMES = 32
"""Five halvings leave one frame of these."""

Output = Literal["embedding", "tags", "logits"]


class PannsJudge(TorchJudge[PannsNetwork]):
    """Cnn14 (Kong et al. 2020) on the whole clip at 8, 16 or 32 kHz: each rate has a checkpoint of its own.

    `output` embedding: a vector [1, 2048] >= 0; tags: probabilities [1, 527], each by itself; logits: what they are the
    sigmoid of [1, 527]. A clip is one vector, so that a Fréchet distance of fewer than 2048 clips is of low rank. The
    level counts, and so does the resampler. `path` is a published checkpoint in place of the catalogue's; `random` a
    seed for weights that nobody trained, with which nothing is scored.

    Refuses `empty`, `nan`, `silent` and `too-short` (under 32 frames, 0.31 s). Raises InputError for other options.
    """

    def __init__(
        self, sample_rate: int = 16000, output: str = "embedding", path: str | None = None, random: int | None = None
    ) -> None:
        if sample_rate not in RATES:
            raise InputError(f"judge 'panns': no sample_rate {sample_rate}; there are {', '.join(map(str, RATES))}")
        if output not in get_args(Output):
            raise InputError(f"judge 'panns': no output '{output}'; there are {', '.join(get_args(Output))}")
        self._rate, self._output = RATES[sample_rate], output
        weights = TorchWeights("panns", f"panns-cnn14-{sample_rate // 1000}k", "cnn14.pth", path, random)
        super().__init__(weights, (LEAST_FRAMES - 1) * self._rate.hop)

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        rate = self._rate
        kilohertz = rate.sample_rate // 1000
        return JudgeInfo(
            name=f"panns-cnn14-{kilohertz}k" + ("" if self._output == "embedding" else f"/{self._output}"),
            output="embedding" if self._output == "embedding" else "tags",
            sample_rate=rate.sample_rate,
            version=1,
            weights=weights,
            parameters={
                "level": "as it is",
                "windows": "the whole clip",
                "mel": f"10 log10 of Slaney power mel, {N_MELS} bands from {LOWEST_HZ:g} to {rate.highest_hz:g} Hz, "
                f"window {rate.window}, hop {rate.hop}, edges mirrored",
                "output": self._output,
                "dtype": "float32",
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence="CC-BY-4.0",
            verified="code",
            unscored=self._weights.unscored,
        )

    def _built(self, torch: Any) -> Any:
        return build(torch)

    def _opened(self, state: Mapping[str, Any], torch: Any, device: str) -> PannsNetwork:
        return PannsNetwork(state, self._rate, torch, device)

    def _answer(self, audio: Mono, network: PannsNetwork) -> Judgement:
        embedding, logits = network(audio[None])
        if self._output == "embedding":
            return Judgement(vectors=embedding)
        return Judgement(vectors=logits if self._output == "logits" else _sigmoid(logits))


def panns_logits(sample_rate: int = 16000, path: str | None = None, random: int | None = None) -> PannsJudge:
    """The judge with the logits of its tags: what audioldm_eval takes a softmax of."""
    return PannsJudge(sample_rate, "logits", path, random)


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    # Of float32 logits the exponential overflows to infinity far out, where the answer is 0 all the same.
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float32)
