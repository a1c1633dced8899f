"""TorchAudio-Squim: PESQ, STOI and SI-SDR as a network guesses them from the sample alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.judges.torch_judge import TorchJudge, filled, on_device
from calm_eval.judges.torch_weights import TorchWeights
from calm_eval.judges.torchaudio_package import EXTRA, torchaudio_models

SAMPLE_RATE = 16000
LEAST = 64
"""Samples under the first frame."""
SCORES = ("stoi", "pesq", "si_sdr")
"""In the order of the network's answers."""


class SquimJudge(TorchJudge[Any]):
    """Scores `pesq` (wide band, 1 to 4.64), `stoi` (0 to 1) and `si_sdr` (dB) of speech at 16 kHz, without a reference.

    SQUIM_OBJECTIVE of torchaudio (Kumar et al. 2023), trained on DNS 2020; the network is torchaudio's, the weights the
    catalogue's. The whole clip is heard at once, brought to one level first: answers do not depend on it. These are
    guesses of what the measures would say, on none of the measures' guarantees. `path` is a checkpoint of torchaudio in
    place of the catalogue's; `random` a seed for weights that nobody trained, with which nothing is scored.

    Refuses `empty`, `nan`, `silent` and `too-short` (under 64 samples).
    """

    def __init__(self, path: str | None = None, random: int | None = None) -> None:
        super().__init__(TorchWeights("squim", "squim-objective", "squim.pth", path, random), LEAST)
        self.requires = Requires(("torch", "torchaudio"), self.requires.assets, extra=EXTRA)

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        return JudgeInfo(
            name="squim-objective",
            output="scores",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=weights,
            parameters={
                "level": "root mean square 1/20 over the clip",
                "windows": "the whole clip",
                "dtype": "float32",
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence="CC-BY-4.0",
            verified="code",
            unscored=self._weights.unscored,
        )

    def _built(self, torch: Any) -> Any:
        return torchaudio_models("squim").squim_objective_base()

    def _opened(self, state: Mapping[str, Any], torch: Any, device: str) -> Any:
        network = filled(self._built(torch), state, "SQUIM_OBJECTIVE").to(device)

        def scores(audio: Mono) -> dict[str, float]:
            with torch.inference_mode():
                answers = network(on_device(audio[None], torch, device))
            return {name: float(answer[0]) for name, answer in zip(SCORES, answers, strict=True)}

        return scores

    def _answer(self, audio: Mono, network: Any) -> Judgement:
        return Judgement(scores=network(audio))
