"""OpenAI's own Whisper package with its official checkpoints: greedy, one pass, nothing filtered."""

from __future__ import annotations

import ast
import contextlib
import http.client
import importlib.util
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from calm_eval.assets import cache_folder, fetch, weights
from calm_eval.assets.checksum import sha256_of
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.judges.unreadable import cause

SAMPLE_RATE = 16000
LARGE_V3 = "whisper-large-v3-openai"
_INSTALL = "install calm-eval[openai-whisper]"

DECODING: Mapping[str, Any] = {
    "task": "transcribe",
    "temperature": 0.0,
    "beam_size": None,
    "best_of": None,
    "patience": None,
    "length_penalty": None,
    "condition_on_previous_text": False,
    "compression_ratio_threshold": None,
    "logprob_threshold": None,
    "no_speech_threshold": None,
    "initial_prompt": None,
    "prefix": None,
    "suppress_blank": True,
    "suppress_tokens": "-1",
    "without_timestamps": False,
    "max_initial_timestamp": 1.0,
    "word_timestamps": False,
    "sample_len": None,
    "clip_timestamps": "0",
    "fp16": False,
}
"""What is passed to `transcribe`, and reported, in full. The thresholds are off: they would start the temperature
fallback or drop windows that look like silence, and both make a text depend on more than the audio."""


def official_checkpoints() -> dict[str, str]:
    """Whisper's own table of model name to URL, read from its source without running it (its import takes seconds).

    Raises UnavailableError when the package is missing or holds no such table.
    """
    try:
        spec = importlib.util.find_spec("whisper")
    except (ImportError, ValueError) as error:
        raise UnavailableError(f"openai-whisper cannot be found: {_INSTALL} ({error})") from error
    if spec is None or spec.origin is None:
        raise UnavailableError(f"openai-whisper needs the package openai-whisper: {_INSTALL} (no module named whisper)")
    try:
        tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise UnavailableError(f"openai-whisper cannot be read: {_INSTALL} ({error})") from error
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "_MODELS" for t in node.targets):
            table: dict[str, str] = ast.literal_eval(node.value)
            return table
    raise UnavailableError(f"the installed module 'whisper' is not openai-whisper: {_INSTALL}")


class OpenAIWhisperJudge:
    """Transcribes 16 kHz audio with openai-whisper in float32.

    `model` is an official name (`tiny.en`, `large-v3`, ...), whose URL holds the sha256 that is its identity; the
    checkpoint is downloaded by the package into the cache folder on first use. `path` is a local checkpoint in the same
    format instead, with the file's sha256 as identity; `model` is then ignored. Audio over 30 s goes through the
    package's own sequential windows. `asset` is a checkpoint of the catalogue with one file, in place of the package's
    own download.

    Refuses `empty` (no sample) and `nan` (NaN or infinite samples); everything else is transcribed, silence too. Notes:
    `segments`, and with at least one segment `compression_ratio` (largest), `no_speech_prob` (largest) and
    `avg_logprob` (smallest).

    Raises InputError for another language than English on a `.en` model.
    """

    def __init__(
        self, model: str = "tiny.en", path: str | None = None, language: str = "en", asset: str | None = None
    ) -> None:
        if path is not None and asset is not None:
            raise InputError("openai-whisper: `path` and `asset` both name a checkpoint; give one of them")
        label = Path(path).stem if path is not None else model if asset is None else asset.removesuffix("-openai")
        if label.endswith(".en") and language != "en":
            raise InputError(f"openai-whisper: {label} is English only, language is '{language}'")
        self._model = model
        self._path = path
        self._asset = asset
        self._language = language
        self._name = f"whisper-{label.removeprefix('whisper-')}/openai-whisper"
        self._weights: Mapping[str, str] | None = None
        self._whisper: Any = None

    @property
    def requires(self) -> Requires:
        """The package, and the checkpoint that it downloads on first use."""
        if self._asset is not None:
            return Requires(("whisper",), (self._asset,), extra="openai-whisper")
        file = self._path
        if file is None:
            with contextlib.suppress(UnavailableError):
                address = official_checkpoints().get(self._model)
                if address is not None:
                    file = str(cache_folder() / "openai-whisper" / address.rpartition("/")[2])
        return Requires(("whisper",), extra="openai-whisper", files=() if file is None else (file,))

    @property
    def info(self) -> JudgeInfo:
        """Identity and decoding options. A `path` is hashed on first use.

        Raises UnavailableError when the package or the file is missing, InputError for an unknown model name.
        """
        if self._weights is None:
            self._weights = self._identify()
        return JudgeInfo(
            name=self._name,
            output="transcript",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=self._weights,
            parameters={
                **DECODING,
                "language": self._language,
                "over_30_s": "sequential 30-s windows of openai-whisper, each starting at the last timestamp",
                "text": "outer spaces stripped",
                "refuses": ["empty", "nan"],
            },
            licence="MIT",
            verified="weights",
            proven="calm-eval, 2026-11: the package itself",
        )

    def load(self, device: str, threads: int) -> None:
        """Load the checkpoint, as data only: a pickle that would run code is refused.

        Raises UnavailableError with what to install or fetch, InputError for an unknown model or language.
        """
        try:
            import torch
            import whisper
            import whisper.tokenizer
        except (ImportError, OSError, RuntimeError) as error:
            raise UnavailableError(
                f"{self._name} needs the package openai-whisper: {_INSTALL} ({type(error).__name__}: {error})"
            ) from error
        torch.set_num_threads(threads)
        if self._path is not None:
            loaded = self._load_file(whisper, self._path, device)
        elif self._asset is not None:
            (name,) = weights(self._asset)
            loaded = self._load_file(whisper, str(fetch(self._asset) / name), device)
        else:
            loaded = self._load_official(whisper, device)
        languages = whisper.tokenizer.LANGUAGES if loaded.is_multilingual else ("en",)
        if self._language not in languages:
            raise InputError(f"{self._name} does not know the language '{self._language}'")
        self._whisper = whisper, loaded.eval()

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
        whisper, model = self._whisper
        result = whisper.transcribe(
            model, np.ascontiguousarray(audio, dtype=np.float32), verbose=None, language=self._language, **DECODING
        )
        segments = result["segments"]
        notes: dict[str, Any] = {"segments": len(segments)}
        if segments:
            notes["compression_ratio"] = max(float(segment["compression_ratio"]) for segment in segments)
            notes["no_speech_prob"] = max(float(segment["no_speech_prob"]) for segment in segments)
            notes["avg_logprob"] = min(float(segment["avg_logprob"]) for segment in segments)
        return Judgement(text=str(result["text"]).strip(), notes=notes)

    def _load_official(self, whisper: Any, device: str) -> Any:
        self._identify()
        root = cache_folder() / "openai-whisper"
        try:
            return whisper.load_model(self._model, device=device, download_root=str(root))
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(
                f"{self._name}: cannot download the checkpoint: no network, or its host cannot be reached ({error}). "
                f"Put the file into {root}, or give a local checkpoint with path"
            ) from error
        except (RuntimeError, pickle.UnpicklingError) as error:
            raise UnavailableError(f"{self._name}: cannot load on {device}: {error}") from error

    def _load_file(self, whisper: Any, path: str, device: str) -> Any:
        faults = (OSError, RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError)
        if not Path(path).is_file():
            raise UnavailableError(f"{self._name}: there is no file {path}")
        try:
            return whisper.load_model(path, device=device)
        except faults as error:
            told = "give another `path`" if self._path is not None else "remove it and fetch it again"
            raise UnavailableError(
                f"{self._name}: {path} is not a Whisper checkpoint that can be loaded safely on {device}: "
                f"{cause(error)}; {told}"
            ) from error

    def _identify(self) -> dict[str, str]:
        if self._path is not None:
            try:
                return {Path(self._path).name: sha256_of(Path(self._path))}
            except OSError as error:
                raise UnavailableError(
                    f"{self._name}: cannot read {self._path}: {error.strerror}; give another `path`"
                ) from error
        if self._asset is not None:
            return weights(self._asset)
        table = official_checkpoints()
        if self._model not in table:
            raise InputError(f"openai-whisper has no model '{self._model}'; it knows {', '.join(sorted(table))}")
        *_, digest, name = table[self._model].split("/")
        return {name: digest}


def whisper_large_v3(language: str = "en") -> OpenAIWhisperJudge:
    """Whisper large-v3 from the catalogue in OpenAI's package, named `whisper-large-v3/openai-whisper`."""
    return OpenAIWhisperJudge(asset=LARGE_V3, language=language)
