"""A word n-gram language model: interpolated Witten-Bell smoothing, small enough to fit where it is used.

    P(w | h) = (c(h w) + T(h) P(w | h')) / (c(h) + T(h))

c counts, T(h) is the number of different words seen after the history h, h' is h without its oldest word, and below
the unigrams every word is alike: P(w) = 1 / V (Witten and Bell 1991; Chen and Goodman 1998, section 2.6). A history
that was never seen leaves everything to the shorter one.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from calm_eval.keys import canonical_json, digest

START, END, UNKNOWN = "<s>", "</s>", "<unk>"
SMOOTHING = "interpolated Witten-Bell"

Ngram = tuple[str, ...]


class NgramModel:
    """An n-gram model of sentences, each a sequence of words, from the counts of its longest n-grams.

    A sentence is preceded by order - 1 `<s>`, which are never predicted, and followed by `</s>`, which is. A word
    outside `vocabulary` is `<unk>`. The probabilities of `words` (vocabulary, `</s>`, `<unk>`) sum to 1 after any
    history. Build one with `fit` or `from_json`.
    """

    def __init__(self, order: int, vocabulary: Iterable[str], counts: Mapping[Ngram, int]) -> None:
        if order < 1:
            raise ValueError(f"the order is at least 1, got {order}")
        self.order = order
        self.vocabulary = frozenset(vocabulary) - {START, END, UNKNOWN}
        self.words = (*sorted(self.vocabulary), END, UNKNOWN)
        self._longest = dict(counts)
        # Counts of shorter n-grams are sums of those of the longest: every word has its full history, padded.
        self._counts: list[Counter[Ngram]] = [Counter() for _ in range(order)]
        for ngram, count in self._longest.items():
            if len(ngram) != order or count < 1 or not set(ngram[-1:]) <= set(self.words):
                raise ValueError(f"{ngram!r} counted {count} times is no n-gram of order {order} of the vocabulary")
            for length in range(1, order + 1):
                self._counts[length - 1][ngram[order - length :]] += count
        self._totals: Counter[Ngram] = Counter()
        self._kinds: Counter[Ngram] = Counter()
        for counted in self._counts:
            for ngram, count in counted.items():
                self._totals[ngram[:-1]] += count
                self._kinds[ngram[:-1]] += 1

    @classmethod
    def fit(cls, sentences: Iterable[Sequence[str]], *, order: int = 3, least: int = 1) -> NgramModel:
        """Count sentences. A word seen fewer than `least` times is `<unk>` already here. ValueError for no sentence.

        With `least` 1 no `<unk>` is ever seen, and an unknown word has only its share of the smoothing.
        """
        kept = [list(sentence) for sentence in sentences]
        if not kept:
            raise ValueError("an n-gram model needs at least one sentence")
        seen = Counter(word for sentence in kept for word in sentence)
        vocabulary = {word for word, count in seen.items() if count >= least} - {START, END, UNKNOWN}
        counts: Counter[Ngram] = Counter()
        for sentence in kept:
            counts.update(_windows([word if word in vocabulary else UNKNOWN for word in sentence], order))
        return cls(order, vocabulary, counts)

    def probability(self, word: str, history: Sequence[str] = ()) -> float:
        """P(word | history), above 0. Only the last order - 1 words of the history matter; pad it with `<s>`."""
        known = self._known
        before = tuple(known(one) for one in history)[max(0, len(history) - self.order + 1) :]
        target = known(word)
        if target == START:
            raise ValueError("<s> is never predicted")
        value = 1.0 / len(self.words)
        for length in range(len(before) + 1):
            context = before[len(before) - length :]
            kinds = self._kinds[context]
            if kinds == 0:
                break
            value = (self._counts[length][(*context, target)] + kinds * value) / (self._totals[context] + kinds)
        return value

    def score(self, sentences: Iterable[Sequence[str]]) -> tuple[float, int, int]:
        """Negative log likelihood in nats, its tokens (a `</s>` for each sentence too), how many of them unknown."""
        total, tokens, unknown = 0.0, 0, 0
        for sentence in sentences:
            words = [word if word in self.vocabulary else UNKNOWN for word in sentence]
            unknown += words.count(UNKNOWN)
            for window in _windows(words, self.order):
                total -= math.log(self.probability(window[-1], window[:-1]))
                tokens += 1
        return total, tokens, unknown

    def to_json(self) -> str:
        """The model as text; `from_json` gives it back."""
        return canonical_json(self._plain())

    @classmethod
    def from_json(cls, text: str) -> NgramModel:
        """Read what `to_json` wrote. Raises ValueError for anything else."""
        try:
            told = json.loads(text)
            if told["smoothing"] != SMOOTHING:
                raise ValueError(f"smoothing {told['smoothing']!r} is not known, only {SMOOTHING!r}")
            counts = {tuple(row[:-1]): int(row[-1]) for row in told["counts"]}
            return cls(int(told["order"]), told["vocabulary"], counts)
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"not an n-gram model: {type(error).__name__}: {error}") from error

    @functools.cached_property
    def identity(self) -> str:
        """Sha256 over smoothing, order, vocabulary and counts."""
        return digest(self._plain())

    def _plain(self) -> dict[str, object]:
        rows = sorted([*ngram, count] for ngram, count in self._longest.items())
        return {
            "smoothing": SMOOTHING,
            "order": self.order,
            "vocabulary": sorted(self.vocabulary),
            "counts": rows,
        }

    def _known(self, word: str) -> str:
        return word if word in self.vocabulary or word in (START, END) else UNKNOWN


def _windows(words: Sequence[str], order: int) -> Iterator[Ngram]:
    """Each word of a sentence, and its end, after the order - 1 words before it."""
    padded = [START] * (order - 1) + list(words) + [END]
    for end in range(order, len(padded) + 1):
        yield tuple(padded[end - order : end])


def sentences_of(text: str) -> list[list[str]]:
    """A text as sentences of words: cut after . ! or ? before a space, then Whisper's English normaliser on each.

    The normaliser is that of WER, so that `twelve` and `12` are one word. Words without a letter or digit
    are dropped. A text of which nothing is left is one sentence without words: it is scored as a bare sentence end.
    """
    from calm_eval.metrics.normalisers import WHISPER_ENGLISH

    cut = (WHISPER_ENGLISH(part).split() for part in re.split(r"(?<=[.!?])\s+", text))
    spoken = ([word for word in words if any(map(str.isalnum, word))] for words in cut)
    return [words for words in spoken if words] or [[]]


@functools.cache
def mini_model() -> NgramModel:
    """Trigrams of the sentences of the mini speech corpus's training split: the same on every machine, no files."""
    from calm_eval.data.speech_corpus import SpeechCorpus

    texts = (text for split, _, text in SpeechCorpus().plan() if split == "train")
    return NgramModel.fit(sentence for text in texts for sentence in sentences_of(text))
