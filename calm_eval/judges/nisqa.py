"""NISQA v2.0: predicted quality of speech, and four things that spoil it. Its weights may not be used commercially."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calm_eval.errors import UnavailableError
from calm_eval.judges.nisqa_front_end import FRAMES, LEAST, SAMPLE_RATE, NisqaLogMel, segments
from calm_eval.judges.nisqa_network import NisqaNetwork, build
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono
from calm_eval.judges.torch_judge import TorchJudge
from calm_eval.judges.torch_weights import TorchWeights

LICENCE = "CC-BY-NC-SA-4.0"
SCORES = ("mos", "noisiness", "discontinuity", "coloration", "loudness")
"""In the order of the network's answers; papers list coloration before discontinuity."""
TRAINED_SEGMENTS = 1300


class NisqaJudge(TorchJudge[NisqaNetwork]):
    """Scores `mos`, `noisiness`, `discontinuity`, `coloration`, `loudness` of speech at 48 kHz, about 1 (bad) to 5.

    NISQA v2.0 (Mittag et al. 2021), own network and front end; all five are better when higher. The original reads a
    file at its own rate and bands above half of it are at the floor; here every clip comes at 48 kHz, and one that was
    recorded at less has little in those bands. The weights are CC BY-NC-SA 4.0: whoever may use them says so with
    `accept_licence: CC-BY-NC-SA-4.0`, and without it there is no judge. `path` is a checkpoint like nisqa.tar in place
    of the catalogue's, under the same terms; `random` a seed for weights that nobody trained, with which nothing is
    scored.

    Refuses `empty`, `nan`, `silent` and `too-short` (under 0.14 s). Notes: `segments`, and `beyond_training` for more
    than 1300 (52 s), where the original refuses. Raises UnavailableError, saying what to do, when the licence is not
    accepted.
    """

    def __init__(self, accept_licence: str = "", path: str | None = None, random: int | None = None) -> None:
        weights = TorchWeights("nisqa", "nisqa", "nisqa.tar", path, random)
        if random is None and accept_licence != LICENCE:
            raise UnavailableError(
                f"nisqa: its weights are {LICENCE}: no commercial use, and what is made from them is shared alike. If "
                f"that is what you do, give the judge the option accept_licence: {LICENCE}"
            )
        super().__init__(weights, LEAST)
        self._log_mel = NisqaLogMel()

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        return JudgeInfo(
            name="nisqa",
            output="scores",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=weights,
            parameters={
                "level": "as it is",
                "mel": "20 log10 of magnitude mel, 80 dB deep, 48 Slaney bands to 20 kHz, 20 ms each 10 ms, FFT 4096, "
                "edges mirrored",
                "windows": f"the whole clip, in segments of {FRAMES} frames, one each 4",
                "dtype": "float32",
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence=LICENCE,
            verified="code",
            unscored=self._weights.unscored,
        )

    def _built(self, torch: Any) -> Any:
        return build(torch)

    def _opened(self, state: Mapping[str, Any], torch: Any, device: str) -> NisqaNetwork:
        return NisqaNetwork(state, torch, device)

    def _answer(self, audio: Mono, network: NisqaNetwork) -> Judgement:
        cut = segments(self._log_mel(audio))
        scores = dict(zip(SCORES, network(cut).tolist(), strict=True))
        return Judgement(scores=scores, notes={"segments": len(cut), "beyond_training": len(cut) > TRAINED_SEGMENTS})
