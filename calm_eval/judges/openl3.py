"""OpenL3 embeddings of windows of a second, as openl3 and stable-audio-metrics take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

from calm_eval.audio.clip import Clip
from calm_eval.audio.resample import to_mono
from calm_eval.errors import InputError
from calm_eval.judges.level import PEAK_DB, at_peak
from calm_eval.judges.openl3_front_end import SAMPLE_RATE, FrontEnd, windows_of
from calm_eval.judges.openl3_network import Openl3Network, build
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono
from calm_eval.judges.torch_judge import TorchJudge
from calm_eval.judges.torch_weights import TorchWeights

AT_ONCE = 4
"""Windows in one pass: memory does not grow with a clip."""
HEARD_AT = (48000, 44100)
LEAST_SECONDS = 0.1

Content = Literal["music", "env"]
_MELS = {
    "kapre-0.1": "square root of HTK power mel, as openl3 up to 0.3.1 and torchopenl3",
    "kapre-0.3": "Slaney mel of magnitudes, as openl3 0.4",
}


class Openl3Judge(TorchJudge[Openl3Network]):
    """Vectors [windows, 512] of OpenL3 with 256 mels (Cramer et al. 2019), a window each half second.

    `content` music or env: what a checkpoint was trained on. `front_end` kapre-0.3: as openl3 0.4, which
    stable-audio-metrics calls; kapre-0.1: as openl3 up to 0.3.1 and torchopenl3, with which the weights were trained.
    `hears_at` 44100 takes a clip at that rate and from there to 48 kHz, so that nothing above 22.05 kHz counts; `peak`
    brings its largest magnitude to -1 dB first, as stable-audio-metrics does with both. The decibels are relative to
    each window's largest: nearly blind to level all the same. `path` is a checkpoint of torchopenl3 in place of the
    catalogue's; `random` a seed for weights that nobody trained, with which nothing is scored.

    Refuses `empty`, `nan`, `silent` and `too-short` (under 0.1 s). Raises InputError for other options.
    """

    def __init__(
        self,
        content: str = "music",
        front_end: str = "kapre-0.3",
        hears_at: int = SAMPLE_RATE,
        peak: bool = False,
        path: str | None = None,
        random: int | None = None,
    ) -> None:
        if content not in get_args(Content):
            raise InputError(f"judge 'openl3': no content '{content}'; there are {', '.join(get_args(Content))}")
        if front_end not in get_args(FrontEnd):
            raise InputError(f"judge 'openl3': no front_end '{front_end}'; there are {', '.join(get_args(FrontEnd))}")
        if hears_at not in HEARD_AT:
            raise InputError(f"judge 'openl3': no hears_at {hears_at}; there are {', '.join(map(str, HEARD_AT))}")
        weights = TorchWeights("openl3", f"openl3-{content}", "openl3.pth.tar", path, random)
        super().__init__(weights, round(LEAST_SECONDS * hears_at))
        self._content, self._hears_at, self._peak = content, hears_at, peak
        self._front_end: FrontEnd = "kapre-0.1" if front_end == "kapre-0.1" else "kapre-0.3"

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        kilohertz = "" if self._hears_at == SAMPLE_RATE else f"/{self._hears_at}"
        return JudgeInfo(
            name=f"openl3-{self._content}/{self._front_end}{kilohertz}" + ("/peak" if self._peak else ""),
            output="embedding",
            sample_rate=self._hears_at,
            version=1,
            weights=weights,
            parameters={
                "level": f"largest magnitude at {PEAK_DB:g} dB" if self._peak else "as it is",
                "rate": f"{self._hears_at} Hz" + (", then 48000 Hz by soxr VHQ" if kilohertz else ""),
                "windows": "1 s, one each 0.5 s, half a second of zeros before, the last filled up with zeros",
                "mel": f"{_MELS[self._front_end]}; dB under each window's largest, 80 at most",
                "content": self._content,
                "channels": "one",
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence="CC-BY-4.0",
            verified="code",
            unscored=self._weights.unscored,
        )

    def _built(self, torch: Any) -> Any:
        return build(torch)

    def _opened(self, state: Mapping[str, Any], torch: Any, device: str) -> Openl3Network:
        return Openl3Network(state, self._front_end, torch, device)

    def _answer(self, audio: Mono, network: Openl3Network) -> Judgement:
        levelled = at_peak(audio) if self._peak else audio
        windows = windows_of(to_mono(Clip(levelled[None], self._hears_at), SAMPLE_RATE))
        parts = [network(windows[start : start + AT_ONCE]) for start in range(0, len(windows), AT_ONCE)]
        return Judgement(vectors=np.concatenate(parts), notes={"windows": len(windows)})


def openl3_sam(content: str = "music", path: str | None = None, random: int | None = None) -> Openl3Judge:
    """As stable-audio-metrics asks it, but for its second channel: the peak at -1 dB, by way of 44.1 kHz."""
    return Openl3Judge(content, "kapre-0.3", 44100, True, path, random)
