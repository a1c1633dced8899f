"""Whisper in CTranslate2 format through faster-whisper: greedy, one pass, nothing filtered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from calm_eval.assets import fetch, weights
from calm_eval.assets.checksum import sha256_of
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.selftest.check import Golden

SAMPLE_RATE = 16000

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


class FasterWhisperJudge:
    """Transcribes 16 kHz audio with a CTranslate2 Whisper model.

    Exactly one of `model` (an asset of the catalogue) and `path` (a local folder with model.bin, config.json,
    tokenizer.json and the vocabulary) is given. `compute_type` is CTranslate2's; it changes texts, so it is part of the
    identity. Audio over 30 s goes through faster-whisper's own sequential windows.

    Refuses `empty` (no sample) and `nan` (NaN or infinite samples); everything else is transcribed, silence too. Notes:
    `segments`, with `word_times` also `words` (start and end of each in seconds; asking for them may change a text, so
    that is another judge), and with at least one segment `compression_ratio` (largest), `no_speech_prob` (largest) and
    `avg_logprob` (smallest). faster-whisper drops a segment of no text or zero length, so `segments` can be 0.

    Raises InputError when not exactly one source is given, or for another language than English on a `.en` model.
    """

    concurrent = True

    def __init__(
        self,
        model: str | None = None,
        path: str | None = None,
        compute_type: str = "int8",
        language: str = "en",
        word_times: bool = False,
    ) -> None:
        if (model is None) == (path is None):
            raise InputError("faster-whisper: give exactly one of model (an asset's name) and path (a folder)")
        label = Path(path).name if path is not None else str(model).removesuffix("-ct2")
        if label.endswith(".en") and language != "en":
            raise InputError(f"faster-whisper: {label} is English only, language is '{language}'")
        self.requires = Requires(("faster_whisper",), (model,) if model is not None else ())
        self._word_times = word_times
        self._asset = model
        self._path = path
        self._compute_type = compute_type
        self._language = language
        self._name = f"{label}/faster-whisper"
        self._weights: Mapping[str, str] | None = None
        self._whisper: Any = None

    @property
    def info(self) -> JudgeInfo:
        """Identity and decoding options. A `path` is hashed on first use; UnavailableError when it cannot be read."""
        if self._weights is None:
            self._weights = self._identify()
        return JudgeInfo(
            name=self._name,
            output="transcript",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=self._weights,
            parameters={
                **self._decoding,
                "language": self._language,
                "compute_type": self._compute_type,
                "over_30_s": "sequential 30-s windows of faster-whisper, each starting at the last timestamp",
                "text": "segments joined, outer spaces stripped",
                "refuses": ["empty", "nan"],
            },
            licence="MIT",
        )

    @property
    def _decoding(self) -> dict[str, Any]:
        return {**DECODING, "word_timestamps": self._word_times}

    def load(self, device: str, threads: int) -> None:
        """Load the model on `cpu`, `cuda` or `cuda:N`. Raises UnavailableError with what to install or fetch.

        Raises InputError when the model does not know the language.
        """
        try:
            import faster_whisper
        except (ImportError, OSError, RuntimeError) as error:
            raise UnavailableError(
                f"{self._name} needs faster-whisper: install calm-eval[mini] ({type(error).__name__}: {error})"
            ) from error
        folder = self._folder()
        if not (folder / "tokenizer.json").is_file():
            # faster-whisper would download another tokenizer in its place.
            raise UnavailableError(f"{self._name}: there is no tokenizer.json in {folder}")
        kind, _, index = device.partition(":")
        try:
            whisper = faster_whisper.WhisperModel(
                str(folder),
                device=kind,
                device_index=int(index or 0),
                compute_type=self._compute_type,
                cpu_threads=1,
                num_workers=threads,
                local_files_only=True,
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise UnavailableError(f"{self._name}: cannot load on {device}: {error}") from error
        if self._language not in whisper.supported_languages:
            raise InputError(f"{self._name} does not know the language '{self._language}'")
        self._whisper = whisper

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """One transcript for each audio [frames], one after the other. Raises UnavailableError when not loaded."""
        return [self._judge_one(audio) for audio in batch]

    def close(self) -> None:
        """Free the model."""
        self._whisper = None

    def _judge_one(self, audio: Mono) -> Judgement:
        if audio.size == 0:
            return Judgement(refused="empty")
        if not np.isfinite(audio).all():
            return Judgement(refused="nan")
        if self._whisper is None:
            raise UnavailableError(f"{self._name} is not loaded: call load(device, threads) first")
        found, _ = self._whisper.transcribe(audio, language=self._language, **self._decoding)
        segments = list(found)
        notes: dict[str, Any] = {"segments": len(segments)}
        if segments:
            notes["compression_ratio"] = max(float(segment.compression_ratio) for segment in segments)
            notes["no_speech_prob"] = max(float(segment.no_speech_prob) for segment in segments)
            notes["avg_logprob"] = min(float(segment.avg_logprob) for segment in segments)
        if self._word_times:
            told = [word for segment in segments for word in segment.words or ()]
            notes["words"] = [[float(word.start), float(word.end)] for word in told]
        return Judgement(text="".join(segment.text for segment in segments).strip(), notes=notes)

    def _folder(self) -> Path:
        if self._path is not None:
            return Path(self._path)
        return fetch(str(self._asset))

    def _identify(self) -> dict[str, str]:
        if self._path is None:
            return weights(str(self._asset))
        folder = Path(self._path)
        names = ["model.bin", "tokenizer.json"]
        # Present in models whose features differ from Whisper's first ones, such as 128 mels.
        if (folder / "preprocessor_config.json").is_file():
            names.append("preprocessor_config.json")
        return {name: self._digest(folder / name) for name in names}

    def _digest(self, file: Path) -> str:
        try:
            return sha256_of(file)
        except OSError as error:
            raise UnavailableError(f"{self._name}: cannot read {file}: {error.strerror}") from error


def whisper_tiny_en(compute_type: str = "int8", language: str = "en") -> FasterWhisperJudge:
    """Whisper tiny.en from the catalogue, named `whisper-tiny.en/faster-whisper`."""
    return FasterWhisperJudge(model="whisper-tiny.en-ct2", compute_type=compute_type, language=language)


def _fox(judgement: Judgement) -> float:
    return float("quick brown fox" in (judgement.text or "").lower())


GOLDENS = (Golden("whisper-tiny.en", "hears the quick brown fox", _fox, 1.0, 0.0, "spoken"),)
