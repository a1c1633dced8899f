"""Edit counts between two texts, in words or characters. Alignment by jiwer; each pair of texts is aligned once."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

_SPACES = re.compile(r"\s\s+")


@dataclass(frozen=True)
class Edits:
    """Edit counts against a reference of `length` words or characters."""

    substitutions: int
    deletions: int
    insertions: int
    length: int

    @property
    def errors(self) -> int:
        """All edits."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def empty_hypothesis(self) -> bool:
        """Whether the other text holds nothing at all."""
        return self.length + self.insertions == self.deletions

    def __add__(self, other: Edits) -> Edits:
        """Counts of two pieces together."""
        return Edits(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.length + other.length,
        )


def words(text: str) -> list[str]:
    """The words that jiwer compares: two or more white-space characters are one space, then a cut at each space.

    A single tab, line break or no-break space parts no words, as in the published tools.
    """
    return [word for word in _SPACES.sub(" ", text).strip().split(" ") if word]


def single_spaced(text: str) -> str:
    """The characters that CER compares: no white space at the edges, one space for each run within."""
    return " ".join(text.split())


def count_edits(reference: str, hypothesis: str, *, characters: bool = False) -> Edits:
    """Edits from reference to hypothesis, both already normalised; in characters, single spaces count.

    An empty reference costs one insertion for each word said; two empty texts cost nothing (0 of 0). The sum of the
    three counts is unique, its split is the alignment's.
    """
    return _count_characters(reference, hypothesis) if characters else _count_words(reference, hypothesis)


# Several metrics ask for the edits of the same two texts: they are aligned once.
@functools.lru_cache(maxsize=16384)
def _count_words(reference: str, hypothesis: str) -> Edits:
    import jiwer

    size, said = len(words(reference)), len(words(hypothesis))
    if size == 0 or said == 0:
        return Edits(0, size, said, size)
    found = jiwer.process_words(reference, hypothesis)
    return Edits(found.substitutions, found.deletions, found.insertions, size)


@functools.lru_cache(maxsize=16384)
def _count_characters(reference: str, hypothesis: str) -> Edits:
    import jiwer

    asked, said = single_spaced(reference), single_spaced(hypothesis)
    if not asked or not said:
        return Edits(0, len(asked), len(said), len(asked))
    found = jiwer.process_characters(asked, said)
    return Edits(found.substitutions, found.deletions, found.insertions, len(asked))
