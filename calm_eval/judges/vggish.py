"""VGGish embeddings, in the two forms that FAD is told of; they are different quantities under different names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

from calm_eval.errors import InputError
from calm_eval.judges.level import PEAK_DB, at_peak, through_int16
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono
from calm_eval.judges.torch_judge import TorchJudge
from calm_eval.judges.torch_weights import TorchWeights
from calm_eval.judges.vggish_front_end import (
    EXAMPLE_SAMPLES,
    FRAMES,
    GOOGLE_HOP,
    GOOGLE_LEAST_PEAK,
    GOOGLE_LEAST_STEP,
    GOOGLE_WINDOW,
    HOP,
    SAMPLE_RATE,
    VggishLogMel,
    google_examples,
    torch_examples,
)
from calm_eval.judges.vggish_network import VggishNetwork, build

ASSET, WEIGHTS_FILE = "vggish", "vggish.pth"
AT_ONCE = 64
"""Examples in one pass: memory does not grow with a clip."""

Form = Literal["google", "torch"]
_LEAST = {"google": GOOGLE_WINDOW, "torch": EXAMPLE_SAMPLES}
_RULES = {
    "google": {
        "level": "over max(0.1, largest sample)",
        "windows": "the first 0.975 s of each second, one each 0.5 s",
    },
    "torch": {
        "level": "as it is",
        "windows": "0.96 s, one after the other; the rest is dropped",
    },
}


class VggishJudge(TorchJudge[VggishNetwork]):
    """Vectors [examples, 128] before the last ReLU and without PCA, of audio at 16 kHz (Hershey et al. 2017).

    `form` google: as google-research/frechet_audio_distance, which audiocraft calls for MusicGen's numbers; nearly
    blind to level; a 10-s clip has 19 examples. `form` torch: as torchvggish, which frechet-audio-distance, fadtk and
    audioldm_eval call; the level counts; a 10-s clip has 10. `peak` brings the largest magnitude of a clip to -1 dB and
    `int16` then rounds to 16 bits, before all else: what tools do that hand clips over in files. Google's code reads
    such files as integers, so that its least divisor of 0.1 never counts. `path` is a checkpoint of torchvggish in
    place of the catalogue's; `random` a seed for weights that nobody trained, with which nothing is scored.

    Refuses `empty`, `nan`, `silent` and `too-short` (google: under 1 s; torch: under 0.975 s). Raises InputError for
    another form.
    """

    def __init__(
        self,
        form: str = "google",
        peak: bool = False,
        int16: bool = False,
        path: str | None = None,
        random: int | None = None,
    ) -> None:
        if form not in get_args(Form):
            raise InputError(f"judge 'vggish': no form '{form}'; there are {', '.join(get_args(Form))}")
        super().__init__(TorchWeights("vggish", ASSET, WEIGHTS_FILE, path, random), _LEAST[form])
        self._form, self._peak, self._int16 = form, peak, int16
        self._log_mel = VggishLogMel()

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        before = {"peak": f"largest magnitude at {PEAK_DB:g} dB"} if self._peak else {}
        if self._int16 and self._form == "google":
            before["level"] = "over the largest sample"
        return JudgeInfo(
            name=f"vggish/{self._form}" + ("/peak" if self._peak else "") + ("/int16" if self._int16 else ""),
            output="embedding",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=weights,
            parameters={
                **_RULES[self._form],
                **before,
                **({"int16": "to the nearest of 65,536 steps, no dither"} if self._int16 else {}),
                "least": self._least,
                "mel": "ln(0.01 + magnitude mel), 64 HTK mels from 125 to 7500 Hz, 25 ms each 10 ms, FFT 512",
                "output": "128 numbers before the last ReLU, no PCA",
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence="Apache-2.0",
            verified="code",
            unscored=self._weights.unscored,
        )

    def _built(self, torch: Any) -> Any:
        return build(torch)

    def _opened(self, state: Mapping[str, Any], torch: Any, device: str) -> VggishNetwork:
        return VggishNetwork(state, torch, device)

    def _answer(self, audio: Mono, network: VggishNetwork) -> Judgement:
        google = self._form == "google"
        heard = at_peak(audio) if self._peak else audio
        heard = through_int16(heard) if self._int16 else heard
        least = GOOGLE_LEAST_STEP if self._int16 else GOOGLE_LEAST_PEAK
        examples = google_examples(heard, self._log_mel, least) if google else torch_examples(heard, self._log_mel)
        parts = [network(examples[start : start + AT_ONCE]) for start in range(0, len(examples), AT_ONCE)]
        used = (len(examples) - 1) * GOOGLE_HOP + GOOGLE_WINDOW if google else len(examples) * FRAMES * HOP
        dropped = max(0, audio.size - used) / SAMPLE_RATE
        return Judgement(vectors=np.concatenate(parts), notes={"examples": len(examples), "dropped_seconds": dropped})


def vggish_audiocraft(path: str | None = None, random: int | None = None) -> VggishJudge:
    """As audiocraft asks Google's: each clip written to a file of 16 bits with its peak at -1 dB."""
    return VggishJudge("google", True, True, path, random)


def vggish_torch(path: str | None = None, random: int | None = None) -> VggishJudge:
    """As frechet-audio-distance asks torchvggish."""
    return VggishJudge("torch", path=path, random=random)


def vggish_fadtk(path: str | None = None, random: int | None = None) -> VggishJudge:
    """As fadtk asks torchvggish: by way of a file of 16 bits."""
    return VggishJudge("torch", int16=True, path=path, random=random)
