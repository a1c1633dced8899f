"""PANNs Cnn14: one embedding a clip, or how likely each of AudioSet's 527 tags is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.panns_front_end import LOWEST_HZ, N_MELS, RATES
from calm_eval.judges.panns_network import PannsNetwork, build
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.judges.refusals import refusal
from calm_eval.judges.torch_weights import TorchWeights

LEAST_FRAMES = 32
"""Five halvings leave one frame of these."""

Output = Literal["embedding", "tags", "logits"]


class PannsJudge:
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
        asset = f"panns-cnn14-{sample_rate // 1000}k"
        self._weights = TorchWeights("panns", asset, "cnn14.pth", path, random)
        self.requires = Requires(("torch",), self._weights.assets)
        self._network: PannsNetwork | None = None

    @property
    def info(self) -> JudgeInfo:
        """Identity and parameters. Raises UnavailableError when the weights' identity cannot be known here."""
        return self.described(self._weights.identity())

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

    def load(self, device: str, threads: int) -> None:
        """Load the network. Raises UnavailableError with what to install or fetch, or what is wrong with a file."""
        try:
            import torch
        except (ImportError, OSError, RuntimeError) as error:
            raise UnavailableError(
                f"panns needs torch: install calm-eval[mini] ({type(error).__name__}: {error})"
            ) from error
        torch.set_num_threads(threads)
        state = self._weights.state(torch, lambda: build(torch))
        try:
            self._network = PannsNetwork(state, self._rate, torch, device)
        except (InputError, RuntimeError) as error:
            raise UnavailableError(f"panns: {error}") from error

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """A vector for each audio, each by itself. Raises UnavailableError when not loaded."""
        if self._network is None:
            raise UnavailableError("panns is not loaded: call load(device, threads) first")
        return [self._judge_one(audio, self._network) for audio in batch]

    def close(self) -> None:
        """Free the network."""
        self._network = None

    def _judge_one(self, audio: Mono, network: PannsNetwork) -> Judgement:
        refused = refusal(audio, (LEAST_FRAMES - 1) * self._rate.hop)
        if refused is not None:
            return Judgement(refused=refused)
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
