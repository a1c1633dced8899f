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
        "whisper-encoder": "calm_eval.judges.whisper_encoder:WhisperEncoderJudge",
        "timed-words": "calm_eval.judges.timed_words:TimedWordsJudge",
        "silero-vad": "calm_eval.judges.silero:SileroJudge",
        "musicnn-mtt": "calm_eval.judges.musicnn:musicnn_mtt",
        "musicnn-mtt-tags": "calm_eval.judges.musicnn:musicnn_mtt_tags",
        "musicnn-msd": "calm_eval.judges.musicnn:musicnn_msd",
        "musicnn-msd-tags": "calm_eval.judges.musicnn:musicnn_msd_tags",
        "musicnn-mtt-minilm": "calm_eval.judges.musicnn_text:MusicnnTextJudge",
        "vggish": "calm_eval.judges.vggish:VggishJudge",
        "panns": "calm_eval.judges.panns:PannsJudge",
        "passt": "calm_eval.judges.passt:PasstJudge",
        "passt-sam": "calm_eval.judges.passt:passt_sam",
        "panns-logits": "calm_eval.judges.panns:panns_logits",
        "aisfx": "calm_eval.judges.aisfx:AisfxJudge",
        "signal": "calm_eval.judges.signal:SignalJudge",
        "signal-pair": "calm_eval.judges.signal_pair:SignalPairJudge",
        "speech-pair": "calm_eval.judges.signal_pair:speech_pair",
        "prompt-copy": "calm_eval.judges.signal_pair:prompt_copy",
    },
)
"""Each entry is a factory called with the judge's options as keywords; it returns a Judge."""
