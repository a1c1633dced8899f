"""The byte-level pieces of GPT-2 and RoBERTa (Radford et al. 2019, Liu et al. 2019), from a vocabulary and merges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calm_eval.assets import fetch
from calm_eval.errors import UnavailableError
from calm_eval.judges.chosen_weights import chosen_weights
from calm_eval.keys import digest

FILES = ("vocab.json", "merges.txt")
BYTES = "bytes alone"
"""The vocabulary that goes with random weights: nothing has to be fetched for it."""


@dataclass(frozen=True)
class PieceRules:
    """One model's: the catalogue's asset, its marks by name, and the two that each text is put between, if any.

    The vocabulary begins with the `first` of the marks and ends with the others.
    """

    asset: str
    marks: tuple[str, ...]
    first: int = 0
    around: tuple[str, str] | None = None


class ByteLevelTokens:
    """Texts to ids, as transformers' tokenizers give them, cut to `most` with the marks around them.

    `folder` holds `vocab.json` and `merges.txt` in place of the catalogue's. `plain` asks for no file: each byte is a
    piece, which goes with random weights alone.
    """

    def __init__(
        self, judge: str, rules: PieceRules, most: int, folder: str | None = None, plain: bool = False
    ) -> None:
        self.most = most
        self._judge, self._rules, self._folder = judge, rules, folder
        self._plain = plain and folder is None
        self._tokenizer: Any = None

    @property
    def assets(self) -> tuple[str, ...]:
        """What has to be fetched."""
        return () if self._plain or self._folder is not None else (self._rules.asset,)

    def identity(self) -> Mapping[str, str]:
        """File name to sha256. Raises UnavailableError when a file cannot be read."""
        if self._plain:
            return {BYTES: digest({"pieces": BYTES})}
        return chosen_weights(self._judge, self._rules.asset, self._folder, FILES, option="tokens")

    def load(self) -> None:
        """Read the files. Raises UnavailableError with what to install or fetch, or what is wrong with a file."""
        try:
            import tokenizers
        except (ImportError, OSError, RuntimeError) as error:
            raise UnavailableError(
                f"{self._judge} needs tokenizers: install calm-eval[mini] ({type(error).__name__}: {error})"
            ) from error
        self._tokenizer = self._made(tokenizers, self._bytes(tokenizers) if self._plain else self._read(tokenizers))

    def __call__(self, text: str) -> tuple[list[int], bool]:
        """The ids of a text, and whether it was cut. Raises UnavailableError when not loaded."""
        if self._tokenizer is None:
            raise UnavailableError(f"{self._judge} is not loaded: call load(device, threads) first")
        found = self._tokenizer.encode(text)
        return list(found.ids), bool(found.overflowing)

    def close(self) -> None:
        """Free the tokenizer."""
        self._tokenizer = None

    def _bytes(self, tokenizers: Any) -> Any:
        rules = self._rules
        letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
        names = [*rules.marks[: rules.first], *letters, *rules.marks[rules.first :]]
        return tokenizers.models.BPE({name: number for number, name in enumerate(names)}, [])

    def _read(self, tokenizers: Any) -> Any:
        folder = Path(self._folder) if self._folder is not None else fetch(self._rules.asset)
        try:
            return tokenizers.models.BPE.from_file(*(str(folder / name) for name in FILES))
        # The tokenizers library raises plain Exception for a file that it cannot parse.
        except Exception as error:
            raise UnavailableError(f"{self._judge}: cannot read {' and '.join(FILES)} of {folder}: {error}") from error

    def _made(self, tokenizers: Any, model: Any) -> Any:
        rules = self._rules
        made = tokenizers.Tokenizer(model)
        ids = {name: made.token_to_id(name) for name in rules.marks}
        absent = [name for name, number in ids.items() if number is None]
        if absent:
            raise UnavailableError(f"{self._judge}: {FILES[0]} is another model's: it has no {', '.join(absent)}")
        made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        # RoBERTa's mask takes the space before it, as in the original.
        made.add_special_tokens([tokenizers.AddedToken(name, lstrip=name == "<mask>") for name in rules.marks])
        if rules.around is not None:
            opening, closing = ((name, ids[name]) for name in rules.around)
            made.post_processor = tokenizers.processors.RobertaProcessing(
                closing, opening, trim_offsets=False, add_prefix_space=False
            )
        made.enable_truncation(self.most)
        return made
