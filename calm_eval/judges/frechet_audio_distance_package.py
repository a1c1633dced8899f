"""The package frechet-audio-distance as a judge, where its own numbers are asked for: its Cnn14, with its mels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from calm_eval.errors import InputError
from calm_eval.judges.package_judge import PackageJudge
from calm_eval.judges.panns import LEAST_FRAMES
from calm_eval.judges.panns_front_end import RATES
from calm_eval.judges.protocol import JudgeInfo
from calm_eval.judges.torch_weights import TorchWeights


class FrechetAudioDistanceJudge(PackageJudge):
    """Cnn14's embeddings [1, 2048] as frechet-audio-distance 0.3.4 computes them of a clip at 8, 16 or 32 kHz.

    At 16 and 8 kHz they are those of `panns`; at 32 kHz the package's mels go up to 16 kHz and the checkpoint's to 14.
    Its VGGish comes from a hub at each start, which is refused here: `vggish` with `form: torch` is the same.

    Refuses `empty`, `nan`, `silent` and `too-short` (under 0.31 s). Raises InputError for another rate.
    """

    def __init__(
        self, sample_rate: int = 16000, python: str | None = None, path: str | None = None, random: int | None = None
    ) -> None:
        if sample_rate not in RATES:
            raise InputError(
                f"judge 'frechet-audio-distance': no sample_rate {sample_rate}; there are {', '.join(map(str, RATES))}"
            )
        asset = f"panns-cnn14-{sample_rate // 1000}k"
        weights = TorchWeights("frechet-audio-distance", asset, "cnn14.pth", path, random)
        least = (LEAST_FRAMES - 1) * RATES[sample_rate].hop
        super().__init__("frechet-audio-distance", "frechet_audio_distance_child", weights, least, python)
        self._rate = sample_rate

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        return JudgeInfo(
            name=f"frechet-audio-distance/panns-cnn14-{self._rate // 1000}k",
            output="embedding",
            sample_rate=self._rate,
            version=1,
            weights=weights,
            parameters={
                "package": f"{self.environment.package} {self.environment.version}",
                "level": "as it is",
                "windows": "the whole clip",
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence="MIT, CC-BY-4.0",
            verified="code",
            unscored=self._weights.unscored,
        )

    def _options(self) -> Mapping[str, Any]:
        return {"sample_rate": self._rate}
