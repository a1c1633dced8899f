"""Audiobox Aesthetics: four predicted opinions on speech, music and sound, in windows of ten seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from calm_eval.judges.audiobox_network import AXES, WINDOW, AudioboxNetwork, build
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.judges.torch_judge import TorchJudge
from calm_eval.judges.torch_weights import TorchWeights
from calm_eval.judges.wav2vec_layers import FIELD

SAMPLE_RATE = 16000
SCALES: Mapping[str, tuple[float, float]] = {
    "CE": (5.06865, 1.93029),
    "CU": (5.73633, 1.75669),
    "PC": (3.18591, 1.86637),
    "PQ": (6.57505, 1.51466),
}
"""Mean and deviation of each axis in the published checkpoint's `target_transform`."""


class AudioboxAestheticsJudge(TorchJudge[AudioboxNetwork]):
    """Scores `CE`, `CU`, `PC` and `PQ` of a clip at 16 kHz, about 1 to 10 and not bounded (Tjandra et al. 2025).

    Windows of ten seconds, one after the other; the last one, filled up with zeros, counts by its share. `path` is a
    checkpoint in place of the catalogue's; `random` a seed for weights that nobody trained, with which nothing is
    scored.

    Refuses `empty`, `nan`, `silent` and `too-short` (under 25 ms).
    """

    def __init__(self, path: str | None = None, random: int | None = None) -> None:
        weights = TorchWeights("audiobox-aesthetics", "audiobox-aesthetics", "model.safetensors", path, random)
        super().__init__(weights, FIELD)
        self.requires = Requires(("torch", "safetensors"), weights.assets)

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        return JudgeInfo(
            name="audiobox-aesthetics",
            output="scores",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=weights,
            parameters={
                "level": "as it is",
                "windows": "10 s, one after the other, the last filled up with zeros and weighted by its length",
                "scales": {axis: list(scale) for axis, scale in SCALES.items()},
                "dtype": "float32",
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence="CC-BY-4.0",
            verified="code",
            unscored=self._weights.unscored,
        )

    def _built(self, torch: Any) -> Any:
        return build(torch)

    def _opened(self, state: Mapping[str, Any], torch: Any, device: str) -> AudioboxNetwork:
        return AudioboxNetwork(state, torch, device)

    def _answer(self, audio: Mono, network: AudioboxNetwork) -> Judgement:
        windows = [audio[start : start + WINDOW] for start in range(0, audio.size, WINDOW)]
        raw = np.stack([network(window) for window in windows]).astype(np.float64)
        # Means over windows and the way back from deviations are both linear.
        means = np.average(raw, axis=0, weights=[window.size for window in windows])
        scores = {
            axis: float(value * SCALES[axis][1] + SCALES[axis][0]) for axis, value in zip(AXES, means, strict=True)
        }
        return Judgement(scores=scores, notes={"windows": len(windows)})
