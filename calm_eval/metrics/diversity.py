"""`vert`, `vert_arithmetic`: how much the transcripts of a row share with each other and repeat themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calm_eval.metrics.normalisers import WHISPER_ENGLISH
from calm_eval.metrics.protocol import MetricSpec, SetReference, SetSample, SetValue
from calm_eval.metrics.transcripts import transcripts
from calm_eval.metrics.vert import Averaging, vert
from calm_eval.selftest.check import Check
from calm_eval.stats.jackknife import GROUPS, LEVEL, NAME, Jackknife, deal, interval, jackknife

LEAST = 3
"""Items with words for an interval: without one of them two texts are left."""


@dataclass(frozen=True)
class Diversity:
    """VERT of all transcripts. Self-BLEU grows with the number of texts, so compare equal n.

    The interval is that of VERT at this n: it stands around the value and not around one freed of its bias, since the
    limit for ever more texts is of no interest. Items are left out with all their seeds.
    """

    spec: MetricSpec
    averaging: Averaging

    def measure_set(self, samples: Sequence[SetSample], references: Sequence[SetReference]) -> SetValue:
        """Samples without a word are not in the value; they are counted as `no-words`."""
        told = transcripts(samples)
        words = {who: WHISPER_ENGLISH(text).split() for who, text in sorted(told.texts.items())}
        kept = {who: text for who, text in words.items() if text}
        failures = dict(told.failures)
        if len(words) > len(kept):
            failures["no-words"] = failures.get("no-words", 0) + len(words) - len(kept)
        if len(kept) < 2:
            return SetValue(None, 0, failures, refused="fewer than two transcripts")
        found = vert(list(kept.values()), averaging=self.averaging)
        spread = self._spread(kept)
        return SetValue(
            value=found.value,
            scored=len(kept),
            failures=failures,
            low=spread.low if spread else None,
            high=spread.high if spread else None,
            method=f"{NAME} over items, {GROUPS} groups, {LEVEL:.0%}" if spread else "",
            notes={"self-BLEU2": found.self_bleu, "auto-BLEU2": found.auto_bleu, "texts": found.n},
        )

    def _spread(self, texts: Mapping[tuple[str, int], Sequence[str]]) -> Jackknife | None:
        """Around the value on all texts by (item, seed); None for too few items."""
        group = deal({item for item, _ in texts})
        sizes = list(Counter(group.values()).values())

        def kept(groups: Sequence[int]) -> float:
            among = set(groups)
            mine = [text for (item, _), text in texts.items() if group[item] in among]
            return vert(mine, averaging=self.averaging).value

        found = jackknife(kept, len(sizes), sizes) if len(sizes) >= LEAST else None
        return interval(found.value, found.value, found.error, found.freedom, found.groups) if found else None


def _spec(name: str, title: str, averaging: str) -> MetricSpec:
    return MetricSpec(
        name=name,
        title=title,
        unit="%",
        scale=100.0,
        higher_is_better=False,
        kind="set",
        version=2,
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
