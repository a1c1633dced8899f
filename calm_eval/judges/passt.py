"""PaSST-S: how likely each of AudioSet's 527 tags is, in the windows that audiocraft or stable-audio-metrics cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from calm_eval.errors import InputError
from calm_eval.judges.level import at_peak
from calm_eval.judges.passt_front_end import HIGHEST_HZ, HOP, N_MELS, SAMPLE_RATE, Framing, windows_of
from calm_eval.judges.passt_network import PATCH, PasstNetwork, build
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono
from calm_eval.judges.torch_judge import TorchJudge
from calm_eval.judges.torch_weights import TorchWeights

PLACES = {10: 99, 20: 200}
"""By the length in seconds of what a checkpoint was trained on: its positions in time."""
LEAST = PATCH * HOP
"""Samples under which there is no patch: 0.16 s."""


class PasstJudge(TorchJudge[PasstNetwork]):
    """Logits [windows, 527] of audio at 32 kHz (Koutini et al. 2022, PaSST-S), each window by itself.

    `seconds` 20 (MusicGen's numbers) or 10 (AudioGen's): each has its checkpoint. `framing` segments: one after the
    other, as audiocraft; overlapping: one each half, as stable-audio-metrics. `peak` brings the largest magnitude of a
    clip to -1 dB first, as stable-audio-metrics does. `path` is a published checkpoint in place of the catalogue's;
    `random` a seed for weights that nobody trained, with which nothing is scored.

    Refuses `empty`, `nan`, `silent` and `too-short` (under 0.16 s). Raises InputError for other options.
    """

    def __init__(
        self,
        seconds: int = 20,
        framing: str = "segments",
        peak: bool = False,
        path: str | None = None,
        random: int | None = None,
    ) -> None:
        if seconds not in PLACES:
            raise InputError(f"judge 'passt': no checkpoint for {seconds} s; there are {', '.join(map(str, PLACES))}")
        if framing not in get_args(Framing):
            raise InputError(f"judge 'passt': no framing '{framing}'; there are {', '.join(get_args(Framing))}")
        super().__init__(TorchWeights("passt", f"passt-{seconds}s", "passt.pt", path, random), LEAST)
        self._seconds, self._framing, self._peak = seconds, framing, peak

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        return JudgeInfo(
            name=f"passt-{self._seconds}s/{self._framing}" + ("/peak" if self._peak else ""),
            output="tags",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=weights,
            parameters={
                "level": "largest magnitude at -1 dB" if self._peak else "as it is",
                "seconds": self._seconds,
                "framing": self._framing,
                "mel": f"{N_MELS} Kaldi mels up to {HIGHEST_HZ:g} Hz, pre-emphasis, 25 ms each 10 ms",
                "output": "logits",
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence="Apache-2.0",
            verified="code",
            unscored=self._weights.unscored,
        )

    def _built(self, torch: Any) -> Any:
        return build(torch, PLACES[self._seconds])

    def _opened(self, state: Mapping[str, Any], torch: Any, device: str) -> PasstNetwork:
        return PasstNetwork(state, PLACES[self._seconds], torch, device)

    def _answer(self, audio: Mono, network: PasstNetwork) -> Judgement:
        levelled = at_peak(audio) if self._peak else audio
        framing: Framing = "segments" if self._framing == "segments" else "overlapping"
        # A last piece of 0.15 s passes the tools' rule and gives them no patch.
        cut = [piece for piece in windows_of(levelled, framing, self._seconds) if piece.size >= LEAST]
        return Judgement(vectors=np.concatenate([network(piece[None]) for piece in cut]), notes={"windows": len(cut)})


def passt_sam(path: str | None = None, random: int | None = None) -> PasstJudge:
    """As stable-audio-metrics asks it: ten seconds, overlapping, the peak at -1 dB."""
    return PasstJudge(10, "overlapping", True, path, random)
