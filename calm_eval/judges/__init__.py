"""Judges: pretrained models that metrics lean on. One file each; new ones are registered here or by entry point."""

from __future__ import annotations

from calm_eval.registry import Registry

JUDGES = Registry(
    "judges",
    {
        "whisper-tiny.en": "calm_eval.judges.faster_whisper:whisper_tiny_en",
        "faster-whisper": "calm_eval.judges.faster_whisper:FasterWhisperJudge",
        "openai-whisper": "calm_eval.judges.openai_whisper:OpenAIWhisperJudge",
        "resemblyzer": "calm_eval.judges.resemblyzer:ResemblyzerJudge",
        "dnsmos": "calm_eval.judges.dnsmos:DnsmosJudge",
    },
)
"""Each entry is a factory called with the judge's options as keywords; it returns a Judge."""
