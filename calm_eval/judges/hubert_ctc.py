"""HuBERT-Large fine-tuned for recognition: letters by CTC, no language model, as in the WER of VALL-E."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import InputError
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.judges.torch_judge import TorchJudge, filled, on_device
from calm_eval.judges.torch_weights import TorchWeights
from calm_eval.judges.torchaudio_package import EXTRA, torchaudio_models

SAMPLE_RATE = 16000
LEAST = 400
"""Samples under the first frame; the next ones follow each 320."""
LETTERS = "|ETAONIHSRDLUMWCFGYPBVK'XJQZ"
"""The 28 classes after the blank; `|` is a space. Source: torchaudio/pipelines/_wav2vec2/utils.py."""
UNUSED = (1, 2, 3)
"""Rows of the last layer that a checkpoint of fairseq has for marks of text, and CTC never used."""

Model = Literal["large", "base"]


@dataclass(frozen=True)
class CtcModel:
    """A published checkpoint: its asset and file, the maker in torchaudio.models, the judge's name, the level."""

    asset: str
    file: str
    maker: str
    name: str
    unit_level: bool


MODELS = {
    "large": CtcModel("hubert-large-ls960", "hubert.pth", "hubert_large", "hubert-large-ls960/ctc", True),
    "base": CtcModel("wav2vec2-base-960h", "wav2vec2.pth", "wav2vec2_base", "wav2vec2-base-960h/ctc", False),
}


class HubertCtcJudge(TorchJudge[Any]):
    """The likeliest letter of each 20 ms of 16 kHz audio, repeats and blanks left out: upper-case letters and '.

    `model` large (HuBERT-Large ls960-ft, Hsu et al. 2021) or base (wav2vec 2.0 Base 960h: HuBERT has no base that
    recognises); the networks are torchaudio's, the weights the catalogue's. The whole clip is heard at once, its memory
    growing with the square of its length. `path` is a checkpoint of torchaudio in place of the catalogue's; `random` a
    seed for weights that nobody trained, with which nothing is scored.

    Refuses `empty`, `nan`, `silent` and `too-short` (under 400 samples, 25 ms). Notes: `frames`, `blank_share`. Raises
    InputError for another model.
    """

    def __init__(self, model: str = "large", path: str | None = None, random: int | None = None) -> None:
        if model not in get_args(Model):
            raise InputError(f"judge 'hubert-ctc': no model '{model}'; there are {', '.join(get_args(Model))}")
        self._model = MODELS[model]
        super().__init__(TorchWeights("hubert-ctc", self._model.asset, self._model.file, path, random), LEAST)
        self.requires = Requires(("torch", "torchaudio"), self.requires.assets, extra=EXTRA)

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        return JudgeInfo(
            name=self._model.name,
            output="transcript",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=weights,
            parameters={
                "level": "mean 0, variance 1 over the clip" if self._model.unit_level else "as it is",
                "windows": "the whole clip",
                "decoding": "likeliest class of each frame, repeats joined, blanks left out; no language model",
                "letters": LETTERS,
                "text": "| as space, runs of spaces joined, outer ones stripped",
                "dtype": "float32",
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence="MIT",
            verified="code",
            unscored=self._weights.unscored,
        )

    def _built(self, torch: Any) -> Any:
        return getattr(torchaudio_models("hubert-ctc"), self._model.maker)(aux_num_out=1 + len(LETTERS))

    def _opened(self, state: Mapping[str, Any], torch: Any, device: str) -> Any:
        network = filled(self._built(torch), current(state, torch), self._model.name).to(device)

        def emissions(audio: Mono) -> NDArray[np.float32]:
            with torch.inference_mode():
                samples = on_device(audio[None], torch, device)
                if self._model.unit_level:
                    samples = torch.nn.functional.layer_norm(samples, samples.shape)
                scores: NDArray[np.float32] = network(samples)[0][0].cpu().numpy()
            return scores

        return emissions

    def _answer(self, audio: Mono, network: Any) -> Judgement:
        classes = network(audio).argmax(axis=-1)
        notes = {"frames": len(classes), "blank_share": float(np.mean(classes == 0))}
        return Judgement(text=letters(classes), notes=notes)


def current(state: Mapping[str, Any], torch: Any) -> Mapping[str, Any]:
    """A published checkpoint's tensors as torchaudio's networks have them now.

    The last layer [32, ...] is cut to the blank and the 28 letters; a normalised weight's length and direction have
    PyTorch's newer names.
    """
    places = torch.tensor([place for place in range(4 + len(LETTERS)) if place not in UNUSED])
    found = {}
    for name, value in state.items():
        for old, new in (("weight_g", "original0"), ("weight_v", "original1")):
            if name.endswith(f".{old}"):
                name = f"{name.removesuffix(old)}parametrizations.weight.{new}"
        cut = name.startswith("aux.") and value.shape[0] == 4 + len(LETTERS)
        found[name] = value[places] if cut else value
    return found


def letters(classes: NDArray[np.integer]) -> str:
    """Classes [frames], 0 the blank, to text by CTC: repeats joined, then blanks left out."""
    changes = classes[np.flatnonzero(np.diff(classes, prepend=-1))]
    spelt = "".join(LETTERS[place - 1] for place in changes if place)
    return " ".join(spelt.replace("|", " ").split())
