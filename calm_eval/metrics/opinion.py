"""Predicted opinions: UTMOS on how natural speech sounds, Audiobox Aesthetics on four axes of any sound.

Means over items of what a judge says of a whole clip. The networks are not bounded, so neither are the values.
"""

from __future__ import annotations

from dataclasses import dataclass

from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse
from calm_eval.selftest.check import Check


@dataclass(frozen=True)
class Opinion:
    """Mean over items of one of the judge's scores; a sample without an answer has no value and is counted by name."""

    spec: MetricSpec
    score: str

    def measure(self, view: SampleView) -> ItemValue:
        """The judge's score."""
        if view.failure is not None:
            return refuse(view.failure)
        judgement = view.judgements["sample"]
        if judgement.refused is not None:
            return refuse(f"judge:{judgement.refused}")
        return ItemValue(judgement.scores[self.score], 1.0)


def _of(judge: str, name: str, title: str, unit: str, score: str, definition: str) -> Opinion:
    spec = MetricSpec(
        name=name,
        title=title,
        unit=unit,
        higher_is_better=True,
        kind="item",
        version=1,
        judge=judge,
        definition=definition,
    )
    return Opinion(spec, score)


UTMOS = _of("utmos", "utmos", "UTMOS", "MOS", "mos", "naturalness of speech, predicted by UTMOS22's strong learner")
ENJOYMENT, USEFULNESS, COMPLEXITY, QUALITY = (
    _of("audiobox-aesthetics", f"audiobox_{axis.lower()}", f"Audiobox {axis}", "of 10", axis, f"{meaning}, predicted")
    for axis, meaning in (
        ("CE", "content enjoyment"),
        ("CU", "content usefulness"),
        ("PC", "production complexity (more is more, not better)"),
        ("PQ", "production quality"),
    )
)


def _passed_on() -> float:
    view = SampleView(None, judgements={"sample": Judgement(scores={"mos": 3.25})})
    value = UTMOS.measure(view)
    return float("nan") if value.numerator is None else value.numerator


CHECKS = (Check("an opinion of 3.25", _passed_on, 3.25),)
