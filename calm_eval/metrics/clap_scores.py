"""`clap`, `clap_audiocraft`, `clap_sam`, `clap_audioldm2`, `clap_microsoft`: five scores called CLAP.

Each is the mean cosine of a sample and its caption, with its own checkpoint, level, steps and windows, which stand with
its judge; none is a logit, and none is cut at zero. All go through the gates of `text_audio_gates.py`.
"""

from __future__ import annotations

from calm_eval.metrics.directions import cosine
from calm_eval.metrics.text_audio_agreement import agreement
from calm_eval.selftest.check import Check

CLAP = agreement(
    "clap",
    "CLAP",
    "clap-music",
    "mean cosine of LAION-CLAP (music) between sample, in all of its windows of 10 s, and caption",
)
CLAP_AUDIOCRAFT = agreement(
    "clap_audiocraft",
    "CLAP, audiocraft",
    "clap-audiocraft",
    "mean cosine of LAION-CLAP (music) between a crop of 10 s and caption, samples not brought to 16 bits",
)
CLAP_SAM = agreement(
    "clap_sam",
    "CLAP, stable-audio-metrics",
    "clap-sam",
    "mean cosine of LAION-CLAP (fusion) between sample, its peak at -1 dB and in 16 bits, and caption",
)
CLAP_AUDIOLDM2 = agreement(
    "clap_audioldm2",
    "CLAP, audioldm_eval",
    "clap-audioldm2",
    "mean cosine of LAION-CLAP (music and speech) between the first 10 s of a sample and caption",
)
CLAP_MICROSOFT = agreement(
    "clap_microsoft",
    "CLAP, Microsoft 2023",
    "ms-clap",
    "mean cosine of Microsoft's CLAP 2023 between sample, in all of its windows of 7 s, and caption",
)

# sqrt(3)/2 and 1/2 are the cosines of 30 and 60 degrees.
CHECKS = (Check("vectors 60 degrees apart", lambda: cosine([1.0, 0.0], [0.5, 0.75**0.5]), 0.5, 1e-15),)
