"""`vert`, `vert_arithmetic`: how much the transcripts of a row share with each other and repeat themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calm_eval.metrics.normalisers import WHISPER_ENGLISH
from calm_eval.metrics.protocol import MetricSpec, SetReference, SetSample, SetValue
from calm_eval.metrics.transcripts import transcripts
from calm_eval.metrics.vert import Averaging, vert
from calm_eval.selftest.check import Check


@dataclass(frozen=True)
class Diversity:
    """VERT of all transcripts. Self-BLEU grows with the number of texts, so there is no interval: compare equal n."""

    spec: MetricSpec
    averaging: Averaging

    def measure_set(self, samples: Sequence[SetSample], references: Sequence[SetReference]) -> SetValue:
        """Samples without a word are not in the value; they are counted as `no-words`."""
        told = transcripts(samples)
        words = {who: WHISPER_ENGLISH(text).split() for who, text in told.texts.items()}
        kept = [text for text in words.values() if text]
        failures = dict(told.failures)
        if len(words) > len(kept):
            failures["no-words"] = failures.get("no-words", 0) + len(words) - len(kept)
        if len(kept) < 2:
            return SetValue(None, 0, failures, refused="fewer than two transcripts")
        found = vert(kept, averaging=self.averaging)
        return SetValue(
            value=found.value,
            scored=len(kept),
            failures=failures,
            notes={"self-BLEU2": found.self_bleu, "auto-BLEU2": found.auto_bleu, "texts": found.n},
        )


def _spec(name: str, title: str, averaging: str) -> MetricSpec:
    return MetricSpec(
        name=name,
        title=title,
        unit="%",
        scale=100.0,
        higher_is_better=False,
        kind="set",
        version=1,
        low=0.0,
        high=1.0,
        judge="whisper-tiny.en",
        parameters={"normaliser": WHISPER_ENGLISH.name, "averaging": averaging, "orders": 2},
        definition=f"geometric mean of self-BLEU2 and auto-BLEU2, {averaging} mean over orders",
    )


VERT = Diversity(_spec("vert", "VERT", "geometric"), "geometric")
VERT_ARITHMETIC = Diversity(_spec("vert_arithmetic", "VERT, arithmetic", "arithmetic"), "arithmetic")

CHECKS = (
    # Each text shares its word but no pair of words: unigram precision 1, bigrams 0, so the geometric mean is 0.
    Check("no pair of words is shared", lambda: vert([["a", "b"], ["b", "a"]]).self_bleu, 0.0),
    Check("equal texts", lambda: vert([["a", "b"], ["a", "b"]]).self_bleu, 1.0, 1e-12),
)
