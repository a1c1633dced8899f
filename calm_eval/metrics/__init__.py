"""Metrics, one file each: pure functions first, then the metric built on them. New ones are registered here."""

from __future__ import annotations

from calm_eval.registry import Registry

METRICS = Registry(
    "metrics",
    {
        "wer": "calm_eval.metrics.word_error_rate:WER",
        "wer_capped": "calm_eval.metrics.word_error_rate:WER_CAPPED",
        "wer_mean": "calm_eval.metrics.word_error_rate:WER_MEAN",
        "cer": "calm_eval.metrics.word_error_rate:CER",
        "cer_mean": "calm_eval.metrics.word_error_rate:CER_MEAN",
        "speaker_similarity": "calm_eval.metrics.speaker_similarity:SPEAKER_SIMILARITY",
        "dnsmos_ovrl": "calm_eval.metrics.dnsmos:OVERALL",
        "dnsmos_sig": "calm_eval.metrics.dnsmos:SIGNAL",
        "dnsmos_bak": "calm_eval.metrics.dnsmos:BACKGROUND",
        "dnsmos_p808": "calm_eval.metrics.dnsmos:P808",
        "rtf": "calm_eval.metrics.speed:REAL_TIME_FACTOR",
        "first_audio": "calm_eval.metrics.speed:FIRST_AUDIO",
    },
)
"""Each entry is a Metric object."""
