"""Word and character error rate of a transcript against the text that was asked for.

WER = (substitutions + deletions + insertions) / reference words; it may exceed 1. Alignment by jiwer; text on both
sides through Whisper's English normaliser (Radford et al. 2022, appendix C). CER counts the same on characters, single
spaces included.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse

GARBAGE = ("empty", "nan")
"""Samples that exist and hold nothing to hear: the system answered, and said no word of the text."""

LOOP_COMPRESSION = 2.4
"""Above this ratio of plain to gzipped length, Whisper's own decoding would call a transcript a failure and retry."""


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


def count_edits(reference: str, hypothesis: str, *, characters: bool = False) -> Edits:
    """Edits from reference to hypothesis, both already normalised and single-spaced.

    An empty reference costs one insertion for each word said; two empty texts cost nothing (0 of 0).
    """
    import jiwer

    size = len(reference) if characters else len(reference.split())
    said = len(hypothesis) if characters else len(hypothesis.split())
    if size == 0 or said == 0:
        return Edits(0, size, said, size)
    process = jiwer.process_characters if characters else jiwer.process_words
    result = process(reference, hypothesis)
    return Edits(result.substitutions, result.deletions, result.insertions, size)


@functools.cache
def _normaliser() -> Callable[[str], str]:
    from whisper_normalizer.english import EnglishTextNormalizer

    return EnglishTextNormalizer()  # type: ignore[no-any-return]


def normalise(text: str) -> str:
    """Whisper's English normaliser, then single spaces."""
    return " ".join(_normaliser()(text).split())


@dataclass(frozen=True)
class ErrorRate:
    """WER or CER as a corpus ratio (`ratio`) or as the mean over items (`item`)."""

    spec: MetricSpec
    characters: bool
    capped: bool = False

    def measure(self, view: SampleView) -> ItemValue:
        """Edits over reference length. Empty or NaN audio deletes every word; audio that is missing has no value."""
        if view.text is None:
            return refuse("no-text")
        if view.failure is not None and view.failure not in GARBAGE:
            return refuse(view.failure)
        said = ""
        flags: tuple[str, ...] = ()
        if view.failure is None:
            judgement = view.judgements["sample"]
            if judgement.refused is not None:
                return refuse(f"judge:{judgement.refused}")
            said, flags = judgement.text or "", suspicion(judgement)
        reference, hypothesis = normalise(view.text), normalise(said)
        edits = count_edits(reference, hypothesis, characters=self.characters)
        parts = {
            "substitutions": edits.substitutions,
            "deletions": edits.deletions,
            "insertions": edits.insertions,
            "length": edits.length,
            "reference": reference,
            "hypothesis": hypothesis,
        }
        if self.spec.kind == "ratio":
            errors = min(edits.errors, edits.length) if self.capped else edits.errors
            return ItemValue(errors, edits.length, parts, flags=flags)
        if edits.length == 0:
            # 0/0 and n/0 have no mean; the corpus ratio still counts the insertions.
            return ItemValue(parts=parts, refused="no-reference-words")
        return ItemValue(edits.errors / edits.length, 1.0, parts, flags=flags)


def suspicion(judgement: Judgement) -> tuple[str, ...]:
    """`asr-loop` when the transcript compresses more than 2.4-fold: Whisper's own sign that it repeats itself."""
    ratio = judgement.notes.get("compression_ratio")
    return ("asr-loop",) if ratio is not None and ratio > LOOP_COMPRESSION else ()


def _spec(name: str, title: str, kind: str, definition: str) -> MetricSpec:
    return MetricSpec(
        name=name,
        title=title,
        unit="%",
        scale=100.0,
        higher_is_better=False,
        kind="ratio" if kind == "ratio" else "item",
        version=1,
        low=0.0,
        needs=("text",),
        judge="whisper-tiny.en",
        parameters={
            "normaliser": "Whisper English",
            "empty_or_nan_audio": "all deletions",
        },
        definition=definition,
    )


WER = ErrorRate(_spec("wer", "WER", "ratio", "word edits of all items over words of all items"), False)
WER_CAPPED = ErrorRate(
    _spec("wer_capped", "WER capped", "ratio", "as WER, no item counting more edits than it has words"),
    characters=False,
    capped=True,
)
WER_MEAN = ErrorRate(_spec("wer_mean", "WER, mean of items", "item", "mean over items of edits over words"), False)
CER = ErrorRate(_spec("cer", "CER", "ratio", "character edits of all items over characters of all items"), True)
CER_MEAN = ErrorRate(_spec("cer_mean", "CER, mean of items", "item", "mean over items of edits over characters"), True)
