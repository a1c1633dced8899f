"""NISQA v2.0 (Mittag et al. 2021): predicted opinion of transmitted speech, overall and in four dimensions."""

from __future__ import annotations

from dataclasses import dataclass

from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse


@dataclass(frozen=True)
class Nisqa:
    """Mean over items of one scale of NISQA. Its judge wants its licence accepted."""

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


def _scale(name: str, title: str, score: str, definition: str) -> Nisqa:
    spec = MetricSpec(
        name=name,
        title=title,
        unit="MOS",
        higher_is_better=True,
        kind="item",
        version=1,
        low=1.0,
        high=5.0,
        judge="nisqa",
        definition=definition,
    )
    return Nisqa(spec, score)


OVERALL = _scale("nisqa_mos", "NISQA", "mos", "NISQA v2.0, overall quality")
NOISINESS = _scale("nisqa_noisiness", "NISQA NOI", "noisiness", "NISQA v2.0, freedom from noise")
DISCONTINUITY = _scale("nisqa_discontinuity", "NISQA DIS", "discontinuity", "NISQA v2.0, freedom from interruptions")
COLORATION = _scale("nisqa_coloration", "NISQA COL", "coloration", "NISQA v2.0, freedom from coloration")
LOUDNESS = _scale("nisqa_loudness", "NISQA LOUD", "loudness", "NISQA v2.0, rightness of loudness")
