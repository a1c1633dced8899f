"""Text normalisers of the published error-rate protocols: what is done to both texts before words are compared.

Each is a pure function of one string and leaves exactly what its tool leaves, double spaces included. Two of them make
two quantities: never compare rates whose normalisers differ.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Normaliser:
    """A named function from text to text. `version` is raised by hand when its answers change.

    `source` says whose rule it is: a repository with commit and file, or a package.
    """

    name: str
    version: int
    source: str
    function: Callable[[str], str]

    def __call__(self, text: str) -> str:
        """The normalised text."""
        return self.function(text)


_ZHON_RANGES = (
    ("\uff01", "\uff0f"),
    ("\uff1a", "\uff20"),
    ("\uff3b", "\uff40"),
    ("\uff5b", "\uff64"),
    ("\u3000", "\u3003"),
    ("\u3008", "\u3011"),
    ("\u3014", "\u301f"),
    ("\u201b", "\u201f"),
    ("\u2026", "\u2027"),
)
_ZHON_SINGLE = "\u00b7\u2013\u2014\u2018\u2019\u3030\u303e\u303f\ufe4f\ufe51\ufe54"


def _between(first: str, last: str) -> str:
    return "".join(chr(code) for code in range(ord(first), ord(last) + 1))


CJK_PUNCTUATION = frozenset("".join(_between(*ends) for ends in _ZHON_RANGES) + _ZHON_SINGLE)
"""The 82 characters of `zhon.hanzi.punctuation` (zhon 2.0.0 to 2.1.1; 1.1.5 lacks U+FF0E). The typographic apostrophe
U+2019 is one of them."""

ASCII_PUNCTUATION = frozenset(string.punctuation)


def _without(characters: frozenset[str]) -> dict[int, None]:
    return {ord(character): None for character in characters}


_SEED_TTS = _without((CJK_PUNCTUATION | ASCII_PUNCTUATION) - {"'"})
_F5 = _without(CJK_PUNCTUATION | ASCII_PUNCTUATION)
_LONGEVAL_F5 = _without(ASCII_PUNCTUATION)
_LONGEVAL_SEED = _without(ASCII_PUNCTUATION - {"'"})


def seed_tts_eval(text: str) -> str:
    """Drop ASCII and CJK punctuation but the straight apostrophe, halve double spaces once, lower case."""
    return text.translate(_SEED_TTS).replace("  ", " ").lower()


def f5_librispeech(text: str) -> str:
    """As `seed_tts_eval`, and the apostrophe goes too: `don't` is `dont`."""
    return text.translate(_F5).replace("  ", " ").lower()


def _single_spaces(text: str) -> str:
    while "  " in text:
        text = text.replace("  ", " ")
    return text


def tts_longeval_f5(text: str) -> str:
    """Drop ASCII punctuation alone (dashes and curly quotes stay inside words), one space for many, lower case."""
    return _single_spaces(text.translate(_LONGEVAL_F5)).lower()


def tts_longeval_seed(text: str) -> str:
    """As `tts_longeval_f5`, and the straight apostrophe stays."""
    return _single_spaces(text.translate(_LONGEVAL_SEED)).lower()


@functools.cache
def _whisper() -> Callable[[str], str]:
    from whisper_normalizer.english import EnglishTextNormalizer

    return EnglishTextNormalizer()  # type: ignore[no-any-return]


def whisper_english(text: str) -> str:
    """Whisper's English normaliser, then single spaces and none at the edges."""
    return " ".join(_whisper()(text).split())


def unchanged(text: str) -> str:
    """The text itself: case and punctuation count."""
    return text


WHISPER_ENGLISH = Normaliser(
    "whisper-english", 1, "Radford et al. 2022, appendix C; package whisper-normalizer", whisper_english
)
SEED_TTS_EVAL = Normaliser("seed-tts-eval", 1, "BytedanceSpeech/seed-tts-eval@752f429 run_wer.py, `en`", seed_tts_eval)
F5_LIBRISPEECH = Normaliser(
    "f5-librispeech", 1, "SWivid/F5-TTS@2ae2c9b src/f5_tts/eval/utils_eval.py, `en`", f5_librispeech
)
TTS_LONGEVAL_F5 = Normaliser(
    "tts-longeval-f5", 1, "kyutai-labs/tts_longeval@4c333b1 tts_longeval/wer.py, `f5`", tts_longeval_f5
)
TTS_LONGEVAL_SEED = Normaliser(
    "tts-longeval-seed", 1, "kyutai-labs/tts_longeval@4c333b1 tts_longeval/wer.py, `seed_en`", tts_longeval_seed
)
NONE = Normaliser("none", 1, "no rule", unchanged)

NORMALISERS: Mapping[str, Normaliser] = MappingProxyType(
    {
        each.name: each
        for each in (WHISPER_ENGLISH, SEED_TTS_EVAL, F5_LIBRISPEECH, TTS_LONGEVAL_F5, TTS_LONGEVAL_SEED, NONE)
    }
)
"""By name."""
