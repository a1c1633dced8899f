"""`kl_audiocraft`, `kl_sam`, `kl_audioldm`, `kl_audioldm_sigmoid`: what three tools call KL, with their classifiers
and windows.

Arithmetic and sources: `tag_divergence.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calm_eval.metrics.kl import tagged_pair
from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse
from calm_eval.metrics.tag_divergence import PRESETS, LogitPreset, logit_divergence
from calm_eval.selftest.check import Check


@dataclass(frozen=True)
class LogitDivergence:
    """The divergence of a classifier's softmax over logits, as one tool computes it."""

    spec: MetricSpec
    preset: LogitPreset

    def measure(self, view: SampleView) -> ItemValue:
        """One pair, its segments counted where they are compared one by one.

        No value when either side has no logits (the name says which side), or for a reference of another length.
        """
        pair = tagged_pair(view)
        if isinstance(pair, str):
            return refuse(pair)
        if self.preset.pooling == "segments" and len(pair[0]) != len(pair[1]):
            return refuse("other-length")
        total, count = logit_divergence(*pair, self.preset)
        return ItemValue(total, float(count))


def _spec(name: str, title: str, judge: str, preset: LogitPreset, definition: str) -> MetricSpec:
    return MetricSpec(
        name=name,
        title=title,
        unit="nats",
        higher_is_better=False,
        kind="pair",
        version=1,
        needs=("reference",),
        judge=judge,
        judged=("sample", "reference"),
        parameters={
            "direction": preset.direction,
            "pooling": preset.pooling,
            "epsilon": preset.epsilon,
            "form": f"{preset.form} over logits",
        },
        definition=definition,
    )


_AUDIOCRAFT, _SAM, _AUDIOLDM, _SIGMOID = (
    PRESETS[name] for name in ("audiocraft", "sam", "audioldm", "audioldm-sigmoid")
)
KL_AUDIOCRAFT = LogitDivergence(
    _spec(
        "kl_audiocraft",
        "KL, audiocraft",
        "passt",
        _AUDIOCRAFT,
        "mean over segments of all pairs of KL(reference || sample) of softmax tags, 1e-6 inside the logarithm",
    ),
    _AUDIOCRAFT,
)
KL_SAM = LogitDivergence(
    _spec(
        "kl_sam",
        "KL, stable-audio-metrics",
        "passt-sam",
        _SAM,
        "mean over pairs of KL(sample || reference) of softmax over mean logits, 1e-6 inside the logarithm",
    ),
    _SAM,
)
KL_AUDIOLDM = LogitDivergence(
    _spec(
        "kl_audioldm",
        "KL, audioldm_eval",
        "panns-audioldm-logits",
        _AUDIOLDM,
        "mean over pairs of KL(reference || sample) of softmax tags of the whole clip, 1e-6 inside the logarithm",
    ),
    _AUDIOLDM,
)
KL_AUDIOLDM_SIGMOID = LogitDivergence(
    _spec(
        "kl_audioldm_sigmoid",
        "KL sigmoid, audioldm_eval",
        "panns-audioldm-logits",
        _SIGMOID,
        "mean over pairs of the sum of p log(p / (q + 1e-6)) over sigmoid tags, p the reference; may be negative",
    ),
    _SIGMOID,
)

CHECKS = (
    # Two tags at one half against sigmoids of 3: 2 * 0.5 ln(0.5 / 0.952574...).
    Check(
        "sigmoids of 0 against those of 3",
        lambda: logit_divergence([[0.0, 0.0]], [[3.0, 3.0]], _SIGMOID)[0],
        float(np.log(0.5 / (1 / (1 + np.exp(-3.0)) + 1e-6))),
        1e-12,
    ),
    # Softmax of (ln 3, 0) is (3/4, 1/4), of (0, 0) halves; the epsilon moves the sixth digit.
    Check(
        "3:1 against 1:1",
        lambda: logit_divergence([[np.log(3.0), 0.0]], [[0.0, 0.0]], _AUDIOLDM)[0],
        0.75 * np.log(0.75 / 0.500001) + 0.25 * np.log(0.25 / 0.500001),
        1e-12,
    ),
)
