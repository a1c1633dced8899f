"""What faster-whisper is asked to do: one greedy pass, or its own way of trying again at higher temperatures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

DECODING: Mapping[str, Any] = {
    "task": "transcribe",
    "beam_size": 1,
    "temperature": 0.0,
    "length_penalty": 1.0,
    "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "condition_on_previous_text": False,
    "compression_ratio_threshold": None,
    "log_prob_threshold": None,
    "no_speech_threshold": None,
    "initial_prompt": None,
    "prefix": None,
    "hotwords": None,
    "suppress_blank": True,
    "suppress_tokens": [-1],
    "without_timestamps": False,
    "max_initial_timestamp": 1.0,
    "word_timestamps": False,
    "multilingual": False,
    "vad_filter": False,
    "max_new_tokens": None,
    "chunk_length": None,
    "clip_timestamps": "0",
}
"""What is passed to `transcribe`, and reported, in full. The thresholds are off: they would start the temperature
fallback or drop windows that look like silence, and both make a text depend on more than the audio."""

FALLBACK: Mapping[str, Any] = {
    "temperature": [0.0, 0.2, 0.4, 0.6, 0.8, 1.0],
    "best_of": 5,
    "prompt_reset_on_temperature": 0.5,
    "condition_on_previous_text": True,
    "compression_ratio_threshold": 2.4,
    "log_prob_threshold": -1.0,
    "no_speech_threshold": 0.6,
}
"""What `fallback` passes in place of it: the package's own defaults, which F5-TTS leaves as they are."""

SEED = 0
"""CTranslate2's, for what is drawn above temperature 0."""


class Tried(tuple[float, ...]):
    """Temperatures that remember whether one above 0 was come to."""

    drawn = False

    def __iter__(self) -> Iterator[float]:
        for temperature in super().__iter__():
            self.drawn = self.drawn or temperature > 0
            yield temperature
