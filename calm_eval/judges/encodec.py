"""EnCodec as an embedder: what its encoder gives before the quantizer, for Fréchet distances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from calm_eval.errors import InputError
from calm_eval.judges.encodec_front_end import Framing, at_unit_level, segments_of
from calm_eval.judges.encodec_network import FORMS, HOP, EncodecNetwork, build
from calm_eval.judges.level import through_int16
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono
from calm_eval.judges.torch_judge import TorchJudge
from calm_eval.judges.torch_weights import TorchWeights

_FILES = {24000: "encodec_24khz-d7cc33bc.th", 48000: "encodec_48khz-7e698e3e.th"}
_PIECES = {
    (24000, "model"): "the whole clip",
    (24000, "fadtk"): "the whole clip, 180 s at most",
    (48000, "model"): "1 s, one each 0.99 s",
    (48000, "fadtk"): "1 s, one after the other, of 180 s at most",
}


class EncodecJudge(TorchJudge[EncodecNetwork]):
    """Vectors [frames, 128] of the encoder of EnCodec (Défossez et al. 2022), 75 a second at 24 kHz, 150 at 48 kHz.

    `sample_rate` 24000 (mono, causal) or 48000: a stereo model, which hears the one channel twice. `framing` model: as
    EnCodec encodes, at 48 kHz each second over its root mean square. fadtk: the encoder called directly, which leaves
    the level as it is. `int16` rounds to 16 bits first, as fadtk's file between does. `path` is a published checkpoint
    in place of the catalogue's; `random` a seed for weights that nobody trained, with which nothing is scored.

    Refuses `empty`, `nan`, `silent` and `too-short` (under one frame, 320 samples). Raises InputError for other
    options.
    """

    def __init__(
        self,
        sample_rate: int = 24000,
        framing: str = "model",
        int16: bool = False,
        path: str | None = None,
        random: int | None = None,
    ) -> None:
        if sample_rate not in FORMS:
            raise InputError(f"judge 'encodec': no sample_rate {sample_rate}; there are {', '.join(map(str, FORMS))}")
        if framing not in get_args(Framing):
            raise InputError(f"judge 'encodec': no framing '{framing}'; there are {', '.join(get_args(Framing))}")
        asset = f"encodec-{sample_rate // 1000}k"
        super().__init__(TorchWeights("encodec", asset, _FILES[sample_rate], path, random), HOP)
        self._form, self._int16 = FORMS[sample_rate], int16
        self._framing: Framing = "fadtk" if framing == "fadtk" else "model"

    @property
    def _levelled(self) -> bool:
        return self._form.grouped and self._framing == "model"

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        rate = self._form.sample_rate
        return JudgeInfo(
            name=f"encodec-{rate // 1000}k/{self._framing}" + ("/int16" if self._int16 else ""),
            output="embedding",
            sample_rate=rate,
            version=1,
            weights=weights,
            parameters={
                "level": "each segment over its root mean square" if self._levelled else "as it is",
                "int16": self._int16,
                "windows": _PIECES[rate, self._framing],
                "channels": "the one channel twice" if self._form.channels == 2 else "one",
                "output": "128 numbers a frame before the quantizer",
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence="CC-BY-NC-4.0",
            verified="code",
            unscored=self._weights.unscored,
        )

    def _built(self, torch: Any) -> Any:
        return build(torch, self._form)

    def _opened(self, state: Mapping[str, Any], torch: Any, device: str) -> EncodecNetwork:
        return EncodecNetwork(state, self._form, torch, device)

    def _answer(self, audio: Mono, network: EncodecNetwork) -> Judgement:
        heard = through_int16(audio) if self._int16 else audio
        pieces = segments_of(heard, self._form.sample_rate, self._framing)
        levelled = [at_unit_level(piece) for piece in pieces] if self._levelled else pieces
        return Judgement(
            vectors=np.concatenate([network(piece) for piece in levelled]), notes={"segments": len(pieces)}
        )


def encodec_fadtk(sample_rate: int = 24000, path: str | None = None, random: int | None = None) -> EncodecJudge:
    """As fadtk asks it: the encoder called directly on 16-bit samples."""
    return EncodecJudge(sample_rate, "fadtk", True, path, random)
