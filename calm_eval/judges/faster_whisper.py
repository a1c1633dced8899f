"""Whisper in CTranslate2 format through faster-whisper: greedy, one pass, nothing filtered; or as the package would."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from calm_eval.assets import fetch, weights
from calm_eval.assets.checksum import sha256_of
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.faster_whisper_decoding import DECODING, FALLBACK, SEED, Tried
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.selftest.check import Golden

SAMPLE_RATE = 16000


class FasterWhisperJudge:
    """Transcribes 16 kHz audio with a CTranslate2 Whisper model.

    Exactly one of `model` (an asset of the catalogue) and `path` (a local folder with model.bin, config.json,
    tokenizer.json and the vocabulary) is given. `compute_type` is CTranslate2's; it changes texts, so it is part of the
    identity. Audio over 30 s goes through faster-whisper's own sequential windows. `beam_size` is that of the search at
    temperature 0. `fallback` turns the package's thresholds on: text that looks looped or unlikely is drawn again at
    higher temperatures, text after text conditioned on the one before. A clip that comes to that is heard by a model
    loaded anew with `SEED`, so that the draw is the clip's alone; that takes a load of the model each time.

    Refuses `empty` (no sample) and `nan` (NaN or infinite samples); everything else is transcribed, silence too. Notes:
    `segments`, with `word_times` also `words` (start and end of each in seconds; asking for them may change a text, so
    that is another judge), with `fallback` also `fell_back`, and with at least one segment `compression_ratio`
    (largest), `no_speech_prob` (largest) and `avg_logprob` (smallest). faster-whisper drops a segment of no text or
    zero length, so `segments` can be 0.

    Raises InputError when not exactly one source is given, for a `beam_size` under 1, or for another language than
    English on a `.en` model.
    """

    concurrent = True

    def __init__(
        self,
        model: str | None = None,
        path: str | None = None,
        compute_type: str = "int8",
        language: str = "en",
        word_times: bool = False,
        beam_size: int = 1,
        fallback: bool = False,
    ) -> None:
        if (model is None) == (path is None):
            raise InputError("faster-whisper: give exactly one of model (an asset's name) and path (a folder)")
        if beam_size < 1:
            raise InputError(f"faster-whisper: beam_size is {beam_size}, it is at least 1")
        label = Path(path).name if path is not None else str(model).removesuffix("-ct2")
        if label.endswith(".en") and language != "en":
            raise InputError(f"faster-whisper: {label} is English only, language is '{language}'")
        self.requires = Requires(("faster_whisper",), (model,) if model is not None else ())
        self._word_times = word_times
        self._beam_size, self._fallback = beam_size, fallback
        self._asset = model
        self._path = path
        self._compute_type = compute_type
        self._language = language
        self._name = f"{label}/faster-whisper"
        self._weights: Mapping[str, str] | None = None
        self._whisper: Any = None
        self._again: tuple[str, int] = ("cpu", 0)

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
                **({"seed": SEED} if self._fallback else {}),
            },
            licence="MIT",
            verified="weights",
            proven="calm-eval, 2026-11: the package itself",
        )

    @property
    def _decoding(self) -> dict[str, Any]:
        asked = {**DECODING, "word_timestamps": self._word_times, "beam_size": self._beam_size}
        return {**asked, **FALLBACK} if self._fallback else asked

    def load(self, device: str, threads: int) -> None:
        """Load the model on `cpu`, `cuda` or `cuda:N`. Raises UnavailableError with what to install or fetch.

        Raises InputError when the model does not know the language.
        """
        try:
            importlib.import_module("faster_whisper")
        except (ImportError, OSError, RuntimeError) as error:
            raise UnavailableError(
                f"{self._name} needs faster-whisper: install calm-eval[mini] ({type(error).__name__}: {error})"
            ) from error
        folder = self._folder()
        if not (folder / "tokenizer.json").is_file():
            # faster-whisper would download another tokenizer in its place.
            raise UnavailableError(f"{self._name}: there is no tokenizer.json in {folder}")
        kind, _, index = device.partition(":")
        self._again = (kind, int(index or 0))
        try:
            whisper = self._model(threads)
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
        segments, fell_back = self._segments(self._whisper, audio)
        if fell_back:
            segments, _ = self._segments(self._model(1), audio)
        notes: dict[str, Any] = {"segments": len(segments)}
        if self._fallback:
            notes["fell_back"] = fell_back
        if segments:
            notes["compression_ratio"] = max(float(segment.compression_ratio) for segment in segments)
            notes["no_speech_prob"] = max(float(segment.no_speech_prob) for segment in segments)
            notes["avg_logprob"] = min(float(segment.avg_logprob) for segment in segments)
        if self._word_times:
            told = [word for segment in segments for word in segment.words or ()]
            notes["words"] = [[float(word.start), float(word.end)] for word in told]
        return Judgement(text="".join(segment.text for segment in segments).strip(), notes=notes)

    def _segments(self, whisper: Any, audio: Mono) -> tuple[list[Any], bool]:
        """What it transcribes, and whether anything was drawn on the way."""
        asked = self._decoding
        tried = Tried(asked["temperature"]) if self._fallback else None
        found, _ = whisper.transcribe(audio, language=self._language, **{**asked, "temperature": tried or 0.0})
        segments = list(found)
        return segments, tried is not None and tried.drawn

    def _model(self, workers: int) -> Any:
        """The model with threads of its own: CTranslate2 seeds its generators once, when a thread first draws."""
        import ctranslate2
        import faster_whisper

        if self._fallback:
            ctranslate2.set_random_seed(SEED)
        kind, index = self._again
        return faster_whisper.WhisperModel(
            str(self._folder()),
            device=kind,
            device_index=index,
            compute_type=self._compute_type,
            cpu_threads=1,
            num_workers=workers,
            local_files_only=True,
        )

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


def whisper_large_v3(
    compute_type: str = "float16", language: str = "en", beam_size: int = 1, fallback: bool = False
) -> FasterWhisperJudge:
    """Whisper large-v3 from the catalogue, named `whisper-large-v3/faster-whisper`; CPUs know no float16.

    F5-TTS has it at `beam_size` 5 with `fallback`.
    """
    return FasterWhisperJudge(
        model="whisper-large-v3-ct2",
        compute_type=compute_type,
        language=language,
        beam_size=beam_size,
        fallback=fallback,
    )


def _fox(judgement: Judgement) -> float:
    return float("quick brown fox" in (judgement.text or "").lower())


GOLDENS = (Golden("whisper-tiny.en", "hears the quick brown fox", _fox, 1.0, 0.0, "spoken"),)
