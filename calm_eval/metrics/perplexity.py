"""Perplexity of transcripts: how likely a language model finds what was said.

Three numbers of one set are all called perplexity: mean over texts of exp(NLL / tokens), its median, and
exp(sum of NLL / sum of tokens) of the corpus. GSLM's script prints the first two (fairseq,
examples/textless_nlp/gslm/metrics/asr_metrics/ppx.py). The mean is ruled by its few largest texts. Low perplexity alone
rewards loops: read it beside VERT.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from pickle import UnpicklingError
from statistics import median
from typing import Any

from calm_eval.assets.checksum import sha256_once
from calm_eval.errors import InputError, UnavailableError
from calm_eval.keys import digest
from calm_eval.metrics.ngram import NgramModel, sentences_of


@dataclass(frozen=True)
class TextScore:
    """One text under one language model: negative log likelihood in nats, summed over `tokens` predicted tokens."""

    nll: float
    tokens: int
    unknown: int = 0

    @property
    def perplexity(self) -> float:
        """exp(NLL / tokens). Raises ValueError without tokens, or beyond the range of a float."""
        return _exp(self.nll, self.tokens)


@dataclass(frozen=True)
class Perplexity:
    """The three forms over one set of texts."""

    mean: float
    median: float
    corpus: float
    texts: int
    tokens: int


def perplexity(scores: Sequence[TextScore]) -> Perplexity:
    """Mean, median and corpus perplexity of at least one text. Raises ValueError for none and for texts without tokens.

    They compare only under one language model with one tokeniser: tokens are the unit.
    """
    if not scores:
        raise ValueError("there is no text to take a perplexity of")
    each = [score.perplexity for score in scores]
    tokens = sum(score.tokens for score in scores)
    corpus = _exp(math.fsum(score.nll for score in scores), tokens)
    return Perplexity(math.fsum(each) / len(each), median(each), corpus, len(scores), tokens)


def _exp(nll: float, tokens: int) -> float:
    if tokens < 1 or not math.isfinite(nll):
        raise ValueError(f"perplexity needs a finite likelihood of at least one token, got {nll} of {tokens}")
    try:
        return math.exp(nll / tokens)
    except OverflowError as error:
        raise ValueError(f"a perplexity of exp({nll / tokens:.0f}) has no value as a float") from error


def ngram_score(model: NgramModel, text: str) -> TextScore:
    """A text under an n-gram model: its sentences (`sentences_of`), each with its end. An empty text is one end."""
    return TextScore(*model.score(sentences_of(text)))


class CausalScorer:
    """A causal language model of transformers in a local folder (weights, config, tokenizer); nothing is downloaded.

    The text is scored in float32 after the tokenizer's BOS token where it has one; without one the first token is only
    given, never predicted. The tokenizer adds nothing else. `end` also predicts EOS, as fairseq's `ppx.py` does;
    `lower` lower-cases first, as it does too. Texts are scored one at a time: none depends on its neighbours. No code
    of the folder is run. Construction is cheap; raises InputError when the folder is no model.
    """

    def __init__(self, path: str | Path, *, end: bool = False, lower: bool = False) -> None:
        self._folder = Path(path)
        if not (self._folder / "config.json").is_file():
            raise InputError(f"{path}: there is no config.json; a folder saved by transformers is wanted")
        self._end, self._lower = end, lower
        self._model: Any = None
        self._tokenizer: Any = None

    @cached_property
    def weights(self) -> Mapping[str, str]:
        """Sha256 of each file that decides a likelihood: weights, config, tokenizer. InputError without weights.

        Where safetensors and pickled weights lie side by side only safetensors are read, and only they count.
        """
        pattern = "*.safetensors" if any(self._folder.glob("*.safetensors")) else "*.bin"
        found = sorted(self._folder.glob(pattern))
        if not found:
            raise InputError(f"{self._folder}: there are no weights (*.safetensors or *.bin)")
        # How text is generated, and how a chat is written, changes no likelihood.
        idle = {"generation_config.json", "chat_template.json"}
        beside = [file for kind in ("*.json", "*.txt", "*.model", "*.tiktoken") for file in self._folder.glob(kind)]
        return {file.name: sha256_once(file) for file in [*found, *sorted(beside)] if file.name not in idle}

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What else decides a likelihood."""
        return {"start": "BOS where the tokenizer has one", "end": self._end, "lower": self._lower, "dtype": "float32"}

    @property
    def identity(self) -> str:
        """Sha256 over weights, config, tokenizer and parameters; the folder's name is no part of it."""
        return digest({"weights": dict(self.weights), "parameters": dict(self.parameters)})

    def load(self, device: str = "cpu") -> None:
        """Bring the model into memory. Raises UnavailableError with what to install, or why it cannot be loaded.

        Raises InputError for a folder without weights.
        """
        safe = any(name.endswith(".safetensors") for name in self.weights)
        try:
            import safetensors
            import torch
            import transformers
        except (ImportError, OSError) as error:
            raise UnavailableError(f"a causal language model needs torch and transformers: {error}") from error
        unreadable = (OSError, ValueError, RuntimeError, ImportError, UnpicklingError, safetensors.SafetensorError)
        local = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(str(self._folder), **local)
            model, found = transformers.AutoModelForCausalLM.from_pretrained(
                str(self._folder), dtype=torch.float32, use_safetensors=safe, output_loading_info=True, **local
            )
        except unreadable as error:
            raise UnavailableError(f"{self._folder}: cannot be loaded: {error}") from error
        if missing := sorted(found["missing_keys"]):
            # transformers would go on with random numbers in their place.
            raise UnavailableError(f"{self._folder}: cannot be loaded: no weights for {', '.join(missing[:5])}")
        self._model = model.eval().to(device)

    def close(self) -> None:
        """Free the model."""
        self._model = self._tokenizer = None

    def score(self, text: str) -> TextScore:
        """NLL of a text; no tokens (and no perplexity) for an empty one without `end`.

        Raises UnavailableError when not loaded, InputError for a text beyond the model's context and for `end` without
        an EOS token.
        """
        if self._model is None:
            raise UnavailableError("the language model is not loaded: call load(device) first")
        import torch

        spoken = text.lower() if self._lower else text
        tokens = list(self._tokenizer(spoken.strip(), add_special_tokens=False)["input_ids"])
        start, stop = self._tokenizer.bos_token_id, self._tokenizer.eos_token_id
        if self._end and stop is None:
            raise InputError(f"{self._folder}: its tokenizer has no EOS token that could be predicted")
        tokens = ([] if start is None else [start]) + tokens + ([stop] if self._end else [])
        if len(tokens) < 2:
            return TextScore(0.0, 0)
        limit = getattr(self._model.config, "max_position_embeddings", None)
        if limit is not None and len(tokens) > limit:
            raise InputError(f"a text of {len(tokens)} tokens is beyond the model's context of {limit}: cut it first")
        ids = torch.tensor([tokens], device=self._model.device)
        with torch.inference_mode():
            logits = self._model(input_ids=ids).logits[0, :-1].double()
            picked = torch.log_softmax(logits, dim=-1).gather(1, ids[0, 1:, None])
        return TextScore(-float(picked.sum()), len(tokens) - 1)
