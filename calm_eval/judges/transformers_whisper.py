"""Whisper through Hugging Face transformers: greedy, one window of 30 s or its sequential windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from calm_eval.assets import fetch
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.chosen_weights import chosen_weights
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.judges.random_whisper import random_whisper
from calm_eval.judges.torch_weights import RANDOM
from calm_eval.judges.whisper_folder import read_whisper, whisper_files
from calm_eval.keys import digest

SAMPLE_RATE = 16000
LARGE_V3 = "whisper-large-v3-transformers"
SUFFIX = "-transformers"
RANDOM_LABEL = "whisper-random-1-layer"
_INSTALL = "install calm-eval[language-model], which has transformers"

Dtype = Literal["float32", "float16", "bfloat16"]
Long = Literal["first", "sequential"]
Timestamps = Literal["none", "segment", "word"]
Attention = Literal["sdpa", "eager"]

_WINDOWS = {
    "first": "first 30 s alone",
    "sequential": "sequential 30-s windows of transformers, each starting at the last timestamp",
}


class TransformersWhisperJudge:
    """Transcribes 16 kHz audio with a Whisper model in the format of transformers, greedily, one clip at a time.

    One of `model` (an asset of the catalogue), `path` (a local folder with config.json, generation_config.json,
    preprocessor_config.json, tokenizer.json and *.safetensors) and `random` (a seed for a network of one small layer on
    each side that nobody trained, with which nothing is scored) is given. `dtype` float32, float16 or bfloat16 is the
    precision of the arithmetic; it changes texts, so each is another identity. `long` first: what is after 30 s is not
    heard, as in seed-tts-eval, and noted (`unheard_seconds`); sequential: windows one after the other. `timestamps`
    none, segment or word: what the decoder is asked for; asking changes texts. `long` sequential needs them and makes
    none segment. `attention` sdpa or eager.

    Refuses `empty` (no sample) and `nan` (NaN or infinite samples); everything else is transcribed, silence too. Notes:
    `tokens` (of the text, marks left out), `unheard_seconds`.

    Raises InputError for other options, for none or several of `model`, `path` and `random`, and for another language
    than English on a `.en` model.
    """

    def __init__(
        self,
        model: str | None = None,
        path: str | None = None,
        random: int | None = None,
        language: str = "en",
        dtype: str = "float32",
        long: str = "first",
        timestamps: str = "none",
        attention: str = "sdpa",
    ) -> None:
        if [model, path, random].count(None) != 2:
            raise InputError(
                "transformers-whisper: give one of model (an asset's name), path (a folder) and random (a seed)"
            )
        for option, value, kind in (
            ("dtype", dtype, Dtype),
            ("long", long, Long),
            ("timestamps", timestamps, Timestamps),
            ("attention", attention, Attention),
        ):
            if value not in get_args(kind):
                raise InputError(f"transformers-whisper: no {option} '{value}'; there are {', '.join(get_args(kind))}")
        label = model.removesuffix(SUFFIX) if model is not None else Path(path).name if path else RANDOM_LABEL
        if label.endswith(".en") and language != "en":
            raise InputError(f"transformers-whisper: {label} is English only, language is '{language}'")
        self.requires = Requires(
            ("torch", "transformers"), (model,) if model is not None else (), extra="language-model"
        )
        self._asset, self._path, self._random = model, path, random
        self._language, self._dtype, self._long, self._attention = language, dtype, long, attention
        self._timestamps = "segment" if long == "sequential" and timestamps == "none" else timestamps
        self._name = f"{label}/transformers"
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
                "task": "transcribe",
                "language": self._language,
                "dtype": self._dtype,
                "beam_size": 1,
                "temperature": 0.0,
                "windows": _WINDOWS[self._long],
                "timestamps": self._timestamps,
                "attention": self._attention,
                "condition_on_previous_text": False,
                "thresholds": "none",
                "suppressed": "tokens of generation_config.json",
                "text": "outer spaces stripped",
                "refuses": ["empty", "nan"],
            },
            licence="Apache-2.0",
            verified="code",
            unscored=RANDOM if self._random is not None else "",
        )

    def load(self, device: str, threads: int) -> None:
        """Load the model, from safetensors alone and never from the hub.

        Raises UnavailableError with what to install or fetch, InputError when the model does not know the language.
        """
        try:
            import torch
            import transformers
        except (ImportError, OSError, RuntimeError) as error:
            raise UnavailableError(
                f"{self._name} needs transformers: {_INSTALL} ({type(error).__name__}: {error})"
            ) from error
        torch.set_num_threads(threads)
        dtype = getattr(torch, self._dtype)
        if self._random is not None:
            if int(transformers.__version__.partition(".")[0]) < 5:
                raise UnavailableError(f"{self._name} needs transformers 5: here is {transformers.__version__}")
            model, features, tokenizer = random_whisper(self._random, self._attention, torch, transformers)
            model = model.to(dtype)
        else:
            folder = Path(self._path) if self._path is not None else fetch(str(self._asset))
            model, features, tokenizer = read_whisper(self._name, folder, dtype, self._attention, transformers)
        known = getattr(model.generation_config, "lang_to_id", {}) if _multilingual(model) else {"<|en|>": 0}
        if f"<|{self._language}|>" not in known:
            raise InputError(f"{self._name} does not know the language '{self._language}'")
        if self._timestamps == "word" and not getattr(model.generation_config, "alignment_heads", None):
            raise UnavailableError(f"{self._name}: generation_config.json names no alignment_heads for word timestamps")
        try:
            self._whisper = model.to(device).eval(), features, tokenizer, torch
        except (RuntimeError, AssertionError) as error:  # AssertionError: PyTorch without CUDA
            raise UnavailableError(f"{self._name}: cannot load on {device}: {error}") from error

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
        model, features, tokenizer, torch = self._whisper
        whole = self._long == "sequential" and audio.size > features.n_samples
        heard = features(
            np.ascontiguousarray(audio, dtype=np.float32),
            sampling_rate=SAMPLE_RATE,
            return_tensors="pt",
            return_attention_mask=True,
            **({"truncation": False, "padding": "longest"} if whole else {}),
        ).to(model.device)
        asked: dict[str, Any] = {"language": self._language, "task": "transcribe"} if _multilingual(model) else {}
        if self._timestamps == "word":
            asked |= {"return_token_timestamps": True}
        with torch.inference_mode():
            found = model.generate(
                heard.input_features.to(model.dtype),
                attention_mask=heard.attention_mask,
                num_beams=1,
                do_sample=False,
                condition_on_prev_tokens=False,
                return_timestamps=self._timestamps != "none",
                **asked,
            )
        if not hasattr(found, "tolist"):
            found = found["sequences"]
        marks = tokenizer.convert_tokens_to_ids("<|notimestamps|>")
        tokens = [token for token in found[0].tolist() if token <= marks]
        special = set(tokenizer.all_special_ids)
        unheard = 0.0 if self._long == "sequential" else max(0, audio.size - features.n_samples) / SAMPLE_RATE
        return Judgement(
            text=str(tokenizer.decode(tokens, skip_special_tokens=True)).strip(),
            notes={"tokens": sum(token not in special for token in tokens), "unheard_seconds": unheard},
        )

    def _identify(self) -> dict[str, str]:
        if self._random is not None:
            return {RANDOM: digest({"judge": RANDOM_LABEL, "seed": self._random})}
        if self._path is None:
            return chosen_weights(self._name, str(self._asset), None)
        return chosen_weights(self._name, "", self._path, whisper_files(Path(self._path)))


def _multilingual(model: Any) -> bool:
    return bool(getattr(model.generation_config, "is_multilingual", False))


def whisper_large_v3(
    language: str = "en",
    dtype: str = "float32",
    long: str = "first",
    timestamps: str = "none",
    attention: str = "sdpa",
) -> TransformersWhisperJudge:
    """Whisper large-v3 from the catalogue, named `whisper-large-v3/transformers`; float32 is seed-tts-eval's."""
    return TransformersWhisperJudge(
        model=LARGE_V3, language=language, dtype=dtype, long=long, timestamps=timestamps, attention=attention
    )
