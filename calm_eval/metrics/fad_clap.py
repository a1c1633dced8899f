"""`fad_fadtk_clap_music`, `fad_fadtk_clap_audio`, `fad_fadtk_clap_2023`: fadtk's distances over three CLAPs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from calm_eval.judges.clap_front_end import in_steps, windows_of
from calm_eval.judges.level import through_int16
from calm_eval.metrics.fad import FrechetAudioDistance
from calm_eval.metrics.fad_presets import FAD_FADTK
from calm_eval.selftest.check import Check


def _over(name: str, title: str, judge: str, what: str) -> FrechetAudioDistance:
    definition = (
        f"Fréchet distance of {what} from 16 bits; embeddings float32 for float16, resampler soxr for torchaudio"
    )
    return FrechetAudioDistance(replace(FAD_FADTK.spec, name=name, title=title, judge=judge, definition=definition))


FAD_FADTK_CLAP_MUSIC = _over(
    "fad_fadtk_clap_music", "FAD, fadtk CLAP music", "clap-music-fadtk", "LAION-CLAP (music), 10 s each second,"
)
FAD_FADTK_CLAP_AUDIO = _over(
    "fad_fadtk_clap_audio", "FAD, fadtk CLAP audio", "clap-general-fadtk", "LAION-CLAP (general), 10 s each second,"
)
FAD_FADTK_CLAP_2023 = _over(
    "fad_fadtk_clap_2023", "FAD, fadtk CLAP 2023", "ms-clap-fadtk", "Microsoft's CLAP 2023, 7 s each second,"
)

_HALF = np.full(48_000 * 3, 0.5, dtype=np.float32)
CHECKS = (
    Check("windows of three seconds", lambda: float(len(windows_of(_HALF, "fadtk", 0))), 3.0, 0.0),
    Check("a half, by way of a file", lambda: float(in_steps(through_int16(_HALF))[0]) * 32767, 16383.0, 1e-3),
)
