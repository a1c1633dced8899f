"""Text to tokens: characters, hashed words, or a SentencePiece model."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from reference_models.errors import ModelError


class Tokenizer(Protocol):
    """Gives each text its tokens, integers from 0 to `size` - 1."""

    @property
    def size(self) -> int:
        """How many tokens there are."""
        ...

    def encode(self, text: str) -> list[int]:
        """The tokens of a text. Raises ModelError on an empty text and on what it cannot say."""
        ...


@dataclass(frozen=True)
class Characters:
    """One token a character of a fixed alphabet, lower case; runs of white space are one space."""

    alphabet: str

    @property
    def size(self) -> int:
        """Length of the alphabet."""
        return len(self.alphabet)

    def encode(self, text: str) -> list[int]:
        """Positions in the alphabet."""
        letters = " ".join(unicodedata.normalize("NFKC", text).replace("’", "'").lower().split())
        if not letters:
            raise ModelError("the text is empty")
        unknown = sorted({letter for letter in letters if letter not in self.alphabet})
        if unknown:
            raise ModelError(f"characters {''.join(unknown)!r} are not in the model's alphabet {self.alphabet!r}")
        return [self.alphabet.index(letter) for letter in letters]


@dataclass(frozen=True)
class HashedWords:
    """One token a word, by a hash into `size` buckets: captions need no vocabulary file, and any caption has tokens."""

    size: int

    def encode(self, text: str) -> list[int]:
        """The first 8 bytes of each lower-case word's sha256, modulo `size`."""
        words = re.findall(r"[\w'#]+", unicodedata.normalize("NFKC", text).lower())
        if not words:
            raise ModelError("the text has no word")
        return [int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big") % self.size for word in words]


class SentencePiece:
    """A SentencePiece model file, by the package `sentencepiece`."""

    def __init__(self, size: int, file: Path | None) -> None:
        if file is None:
            raise ModelError("this preset speaks SentencePiece tokens: name the model file with the option 'tokenizer'")
        if not file.is_file():
            raise ModelError(f"no SentencePiece model at {file}")
        try:
            import sentencepiece  # type: ignore[import-not-found]  # needed by the largest presets alone
        except ImportError as error:
            raise ModelError(f"this preset needs the package 'sentencepiece': {error}") from error
        self._model: Any = sentencepiece.SentencePieceProcessor(model_file=str(file))
        if self._model.get_piece_size() > size:
            raise ModelError(f"{file} has {self._model.get_piece_size()} pieces; the preset has room for {size}")
        self.size = size

    def encode(self, text: str) -> list[int]:
        """The pieces' numbers."""
        pieces: list[int] = self._model.encode(text)
        if not pieces:
            raise ModelError("the text is empty")
        return pieces
