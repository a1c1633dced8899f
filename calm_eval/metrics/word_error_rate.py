"""Word and character error rate of a transcript against the text that was asked for.

WER = (substitutions + deletions + insertions) / reference words; it may exceed 1. Alignment by jiwer; text on both
sides through a named normaliser, by default Whisper's English one (Radford et al. 2022, appendix C). CER counts the
same on characters, single spaces included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.edits import Edits, count_edits
from calm_eval.metrics.normalisers import WHISPER_ENGLISH, Normaliser
from calm_eval.metrics.protocol import ItemValue, Kind, MetricSpec, SampleView, refuse
from calm_eval.selftest.check import Check

Form = Literal["corpus", "capped", "mean", "above-half", "empty-transcripts"]

KINDS: Mapping[Form, Kind] = MappingProxyType(
    {"corpus": "ratio", "capped": "ratio", "mean": "item", "above-half": "item", "empty-transcripts": "item"}
)
"""What is made of the edits of an item: `corpus` (edits over words of all items), `capped` (the same, no item counting
more edits than it has words), `mean` (of the items' rates), `above-half` (share of items whose rate is above 0.5),
`empty-transcripts` (share of items whose normalised transcript holds no word)."""

GARBAGE = ("empty", "nan")
"""Samples that exist and hold nothing to hear: the system answered, and said no word of the text."""

LOOP_COMPRESSION = 2.4
"""Above this ratio of plain to compressed length, Whisper would call a transcript a failure and decode again."""


@dataclass(frozen=True)
class ErrorRate:
    """One form of WER or CER. `spec.kind` is that of the form (`KINDS`).

    An item without reference words has no rate (`no-reference-words`); with `insertions_without_reference`, what is
    said in it still counts as insertions in the corpus forms.
    """

    spec: MetricSpec
    form: Form
    characters: bool = False
    normaliser: Normaliser = WHISPER_ENGLISH
    insertions_without_reference: bool = True

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
        reference, hypothesis = self.normaliser(view.text), self.normaliser(said)
        edits = count_edits(reference, hypothesis, characters=self.characters)
        parts: dict[str, Any] = {
            "substitutions": edits.substitutions,
            "deletions": edits.deletions,
            "insertions": edits.insertions,
            "length": edits.length,
            "reference": reference,
            "hypothesis": hypothesis,
        }
        if edits.length == 0 and not (self.spec.kind == "ratio" and self.insertions_without_reference):
            # 0/0 and n/0 have no mean; the corpus ratio still counts the insertions.
            return ItemValue(parts=parts, refused="no-reference-words")
        return ItemValue(*self._value(edits), parts, flags=flags)

    def _value(self, edits: Edits) -> tuple[float, float]:
        if self.form == "corpus":
            return edits.errors, edits.length
        if self.form == "capped":
            return min(edits.errors, edits.length), edits.length
        if self.form == "mean":
            return edits.errors / edits.length, 1.0
        if self.form == "above-half":
            return float(2 * edits.errors > edits.length), 1.0
        return float(edits.empty_hypothesis), 1.0


def suspicion(judgement: Judgement) -> tuple[str, ...]:
    """`asr-loop` when the transcript compresses more than 2.4-fold: Whisper's own sign that it repeats itself."""
    ratio = judgement.notes.get("compression_ratio")
    return ("asr-loop",) if ratio is not None and ratio > LOOP_COMPRESSION else ()


def error_rate_spec(
    name: str, title: str, form: Form, definition: str, parameters: Mapping[str, Any] | None = None
) -> MetricSpec:
    """The spec of an error rate: a fraction shown in per cent, lower is better, Whisper tiny.en if no judge is named.

    `parameters` are added to what every error rate says of its normaliser and of empty audio.
    """
    return MetricSpec(
        name=name,
        title=title,
        unit="%",
        scale=100.0,
        higher_is_better=False,
        kind=KINDS[form],
        version=1,
        low=0.0,
        high=1.0 if form in ("above-half", "empty-transcripts") else None,
        needs=("text",),
        judge="whisper-tiny.en",
        parameters={"normaliser": "Whisper English", "empty_or_nan_audio": "all deletions", **(parameters or {})},
        definition=definition,
    )


WER = ErrorRate(error_rate_spec("wer", "WER", "corpus", "word edits of all items over words of all items"), "corpus")
WER_CAPPED = ErrorRate(
    error_rate_spec("wer_capped", "WER capped", "capped", "as WER, no item counting more edits than it has words"),
    "capped",
)
WER_MEAN = ErrorRate(
    error_rate_spec("wer_mean", "WER, mean of items", "mean", "mean over items of edits over words"), "mean"
)
CER = ErrorRate(
    error_rate_spec("cer", "CER", "corpus", "character edits of all items over characters of all items"),
    "corpus",
    characters=True,
)
CER_MEAN = ErrorRate(
    error_rate_spec("cer_mean", "CER, mean of items", "mean", "mean over items of edits over characters"),
    "mean",
    characters=True,
)

CHECKS = (
    Check("'X Y X' heard as 'X Z': two edits", lambda: count_edits("X Y X", "X Z").errors, 2.0),
    Check("'abc' heard as 'a bc': one character", lambda: count_edits("abc", "a bc", characters=True).errors, 1.0),
    Check("an empty text costs its insertions", lambda: count_edits("", "x y z").errors, 3.0),
)
