"""Fréchet distances as six tools take them: the embedder, windows and level of each, with this project's arithmetic.

What is heard is the tool's but for the resampler (soxr here) and the channels (the mean of all, before resampling);
where a tool does more, its definition says so. The distance itself is `frechet.py`'s: no matrix root, nothing added to
a diagonal, float64 throughout.
"""

from __future__ import annotations

import numpy as np

from calm_eval.judges.level import at_peak, through_int16
from calm_eval.metrics.fad import FrechetAudioDistance
from calm_eval.metrics.protocol import MetricSpec
from calm_eval.selftest.check import Check


def _preset(name: str, title: str, judge: str, tool: str, definition: str) -> FrechetAudioDistance:
    return FrechetAudioDistance(
        MetricSpec(
            name=name,
            title=title,
            unit="squared distance",
            higher_is_better=False,
            kind="set",
            version=1,
            low=0.0,
            needs=("reference_set",),
            judge=judge,
            judged=("sample", "reference_set"),
            parameters={
                "preset": tool,
                "covariance": "divisor n - 1",
                "arithmetic": "float64",
                "epsilon": None,
            },
            definition=definition,
        )
    )


FAD_AUDIOCRAFT = _preset(
    "fad_audiocraft",
    "FAD, audiocraft",
    "vggish-audiocraft",
    "audiocraft",
    "Fréchet distance of VGGish (google), peaks at -1 dB, 16 bits; resampler soxr for julius, no loudness step before",
)
FAD_FRECHET_AUDIO_DISTANCE = _preset(
    "fad_frechet_audio_distance",
    "FAD, frechet-audio-distance",
    "vggish-torch",
    "frechet-audio-distance",
    "Fréchet distance of VGGish (torch), level as it is; resampler soxr for resampy",
)
FAD_FADTK = _preset(
    "fad_fadtk",
    "FAD, fadtk",
    "vggish-fadtk",
    "fadtk",
    "Fréchet distance of VGGish (torch) from 16 bits; embeddings float32 for float16, resampler soxr for torchaudio",
)
FAD_FADTK_ENCODEC = _preset(
    "fad_fadtk_encodec",
    "FAD, fadtk EnCodec",
    "encodec-fadtk",
    "fadtk",
    "Fréchet distance of EnCodec's encoder at 24 kHz, 180 s a clip at most; embeddings float32 for float16",
)
FD_OPENL3 = _preset(
    "fd_openl3",
    "FD OpenL3, stable-audio-metrics",
    "openl3-sam",
    "stable-audio-metrics",
    "Fréchet distance of OpenL3 (512 numbers, mono), peaks at -1 dB; not the tool's published stereo statistics",
)
FD_PANNS = _preset(
    "fd_panns",
    "FD PANNs, audioldm_eval",
    "panns-audioldm",
    "audioldm_eval",
    "Fréchet distance of PANNs Cnn14 at 16 kHz, one vector a clip less its mean; resampler soxr for torchaudio",
)

_THIRDS = np.array([1 / 6, -1 / 3], dtype=np.float32)
CHECKS = (
    Check("the peak is at -1 dB", lambda: float(np.abs(at_peak(_THIRDS)).max()), 10 ** (-1 / 20), 1e-7),
    Check("a third in 16 bits", lambda: float(through_int16(_THIRDS)[1]) * 32768, -10923.0, 0.0),
)
