"""Diversity of a set of texts: VERT, from what its texts share with each other and with themselves.

    VERT = sqrt(self-BLEU2 * auto-BLEU2)                                                0 to 1, lower is more diverse

After Lakhotia et al. 2021, "On Generative Spoken Language Modeling from Raw Audio", and the definitions of its scripts
(fairseq, examples/textless_nlp/gslm/metrics/asr_metrics/self_auto_bleu.py and misc/bleu_utils.py). Perplexity alone
rewards loops; this one sees them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Words = Sequence[str]
Averaging = Literal["arithmetic", "geometric"]
"""How the orders of n-gram are averaged inside one text. The scripts print both and the paper names neither."""

BIGRAMS = (0.5, 0.5)
TRIGRAMS = (1 / 3, 1 / 3, 1 / 3)


@dataclass(frozen=True)
class Vert:
    """Means over texts, in [0, 1]; multiply by 100 for the paper's scale. Self-BLEU grows with n: compare equal n."""

    self_bleu: float
    auto_bleu: float
    n: int

    @property
    def value(self) -> float:
        """VERT: the geometric mean of the two."""
        return math.sqrt(self.self_bleu * self.auto_bleu)


def vert(texts: Sequence[Words], *, averaging: Averaging = "geometric", weights: Sequence[float] = BIGRAMS) -> Vert:
    """VERT of at least two texts, each a sequence of words. Weights are those of unigrams, bigrams, ...

    Raises ValueError with fewer than two texts, for an empty text (say what it is worth, or count it as a failure,
    before), and for weights that are not positive or do not sum to 1.
    """
    own = self_bleu(texts, averaging=averaging, weights=weights)
    recurring = [auto_bleu(text, averaging=averaging, weights=weights) for text in texts]
    return Vert(sum(own) / len(own), sum(recurring) / len(recurring), len(texts))


def self_bleu(
    texts: Sequence[Words], *, averaging: Averaging = "geometric", weights: Sequence[float] = BIGRAMS
) -> list[float]:
    """BLEU of each text against all others, without brevity penalty, in [0, 1].

    The modified precision of Papineni et al. 2002: an n-gram counts at most as often as it occurs in the one other text
    that has most of it. A text that is too short for an order has precision 0 there. Work grows with the words, not
    with the square of the texts. Errors as `vert`.
    """
    _check(weights)
    if len(texts) < 2:
        raise ValueError(f"self-BLEU compares a text with others: at least two texts, got {len(texts)}")
    if any(len(text) == 0 for text in texts):
        raise ValueError("a text without words has no BLEU")
    precisions: list[list[float]] = [[] for _ in texts]
    for order in range(1, len(weights) + 1):
        counted = [Counter(_ngrams(text, order)) for text in texts]
        most: dict[Words, tuple[int, int]] = {}
        for counts in counted:
            for ngram, times in counts.items():
                best, second = most.get(ngram, (0, 0))
                most[ngram] = (times, best) if times > best else (best, max(second, times))
        for counts, found in zip(counted, precisions, strict=True):
            # The most often that another text has it: the second best where this text itself is the best.
            shared = sum(min(times, most[ngram][times == most[ngram][0]]) for ngram, times in counts.items())
            found.append(shared / max(1, counts.total()))
    return [_average(found, averaging, weights) for found in precisions]


def auto_bleu(text: Words, *, averaging: Averaging = "geometric", weights: Sequence[float] = BIGRAMS) -> float:
    """How much of a text recurs in it: for each order, the share of n-grams that stand again elsewhere, in [0, 1].

    Elsewhere means without overlap: wholly before or wholly after. A text of at most one word is 0, and so is an order
    that the text is too short for.
    """
    _check(weights)
    if len(text) <= 1:
        return 0.0
    shares = []
    for order in range(1, len(weights) + 1):
        ngrams = _ngrams(text, order)
        ends: dict[Words, tuple[int, int]] = {}
        for place, ngram in enumerate(ngrams):
            ends[ngram] = (ends.get(ngram, (place, place))[0], place)
        again = sum(ends[ngram][0] <= place - order or ends[ngram][1] >= place + order
                    for place, ngram in enumerate(ngrams))  # fmt: skip
        shares.append(again / max(1, len(ngrams)))
    return _average(shares, averaging, weights)


def shortest_texts(reference_seconds: Mapping[str, float], *, take: int = 1000, least: float = 6.0) -> list[str]:
    """GSLM's choice of items: the `take` with the shortest reference of at least `least` seconds; ties by id."""
    long_enough = [name for name, seconds in reference_seconds.items() if seconds >= least]
    return sorted(long_enough, key=lambda name: (reference_seconds[name], name))[:take]


def frames_kept(frames: int, sample_rate: int, reference_seconds: float) -> int:
    """GSLM's cut before the recogniser: no sample is longer than its reference (misc/cut_as.py); shorter ones stay."""
    return min(frames, int(reference_seconds * sample_rate))


def _ngrams(text: Words, order: int) -> list[tuple[str, ...]]:
    return [tuple(text[start : start + order]) for start in range(len(text) - order + 1)]


def _average(shares: Sequence[float], averaging: Averaging, weights: Sequence[float]) -> float:
    if averaging == "arithmetic":
        return math.fsum(weight * share for weight, share in zip(weights, shares, strict=True))
    return math.prod(math.pow(share, weight) for weight, share in zip(weights, shares, strict=True))


def _check(weights: Sequence[float]) -> None:
    if not weights or min(weights) <= 0 or not math.isclose(math.fsum(weights), 1.0):
        raise ValueError(f"weights above 0 that sum to 1, got {tuple(weights)}")
