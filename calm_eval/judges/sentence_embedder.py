"""Vectors of sentences with all-MiniLM-L6-v2: own network, the original's weights and word pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.assets import fetch
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.chosen_weights import chosen_weights
from calm_eval.judges.minilm_network import WIDTH, MiniLMNetwork

ASSET = "minilm-l6-v2"
WEIGHTS_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
MAX_TOKENS = 256


@dataclass(frozen=True)
class SentenceEmbedderInfo:
    """The identity of a sentence embedder: name, version, sha256 of each file, everything that changes a vector."""

    name: str
    version: int
    weights: Mapping[str, str]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""


class SentenceEmbedder:
    """Texts to unit vectors [384]; their dot product is a cosine, -1 to 1 (Reimers and Gurevych 2019).

    Lower-cased word pieces, at most 256 with both marks (the rest of a text is cut off, as by sentence-transformers),
    mean of the last layer over all tokens, L2-normalised. `path` is a folder with `model.safetensors` and
    `tokenizer.json` in place of the catalogue's; their sha256 are then the identity.
    """

    def __init__(self, path: str | None = None) -> None:
        self._path = path
        self._weights: Mapping[str, str] | None = None
        self._network: MiniLMNetwork | None = None
        self._tokenizer: Any = None

    @property
    def info(self) -> SentenceEmbedderInfo:
        """Identity and parameters. Raises UnavailableError when a file of `path` cannot be read."""
        if self._weights is None:
            self._weights = chosen_weights("minilm-l6-v2", ASSET, self._path, (WEIGHTS_FILE, TOKENIZER_FILE))
        return SentenceEmbedderInfo(
            name="minilm-l6-v2",
            version=1,
            weights=self._weights,
            parameters={"max_tokens": MAX_TOKENS, "pool": "mean over tokens, both marks included", "norm": "L2"},
            licence="Apache-2.0",
        )

    def load(self, device: str, threads: int) -> None:
        """Load network and tokenizer. Raises UnavailableError with what to install or fetch, or what is wrong."""
        try:
            import safetensors.torch
            import tokenizers
            import torch
        except (ImportError, OSError, RuntimeError) as error:
            raise UnavailableError(
                "minilm-l6-v2 needs torch, safetensors and tokenizers: install calm-eval[mini] "
                f"({type(error).__name__}: {error})"
            ) from error
        torch.set_num_threads(threads)
        folder = Path(self._path) if self._path is not None else fetch(ASSET)
        try:
            tokenizer = tokenizers.Tokenizer.from_str((folder / TOKENIZER_FILE).read_text(encoding="utf-8"))
        # The tokenizers library raises plain Exception for a file that it cannot parse.
        except Exception as error:
            raise UnavailableError(f"minilm-l6-v2: cannot read {folder / TOKENIZER_FILE}: {error}") from error
        try:
            tensors = safetensors.torch.load_file(str(folder / WEIGHTS_FILE))
            network = MiniLMNetwork(tensors, torch, device)
        except (OSError, RuntimeError, safetensors.SafetensorError, InputError) as error:
            raise UnavailableError(f"minilm-l6-v2: cannot load {folder / WEIGHTS_FILE} on {device}: {error}") from error
        # The file pads all texts to 128 tokens and cuts them there.
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length=MAX_TOKENS)
        self._network, self._tokenizer = network, tokenizer

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors [texts, 384], each text by itself: a vector never depends on its neighbours.

        Raises InputError for a text without any character but space, UnavailableError when not loaded.
        """
        if self._network is None:
            raise UnavailableError("minilm-l6-v2 is not loaded: call load(device, threads) first")
        for number, text in enumerate(texts):
            if not text.strip():
                raise InputError(f"minilm-l6-v2: text {number} is empty and has no vector")
        rows = [self._embed_one(text, self._network) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, WIDTH), dtype=np.float32)

    def close(self) -> None:
        """Free the network."""
        self._network = self._tokenizer = None

    def _embed_one(self, text: str, network: MiniLMNetwork) -> NDArray[np.float32]:
        pooled: NDArray[np.float64] = network(self._tokenizer.encode(text).ids).cpu().numpy().astype(np.float64)
        return (pooled / np.linalg.norm(pooled)).astype(np.float32)
