"""DNSMOS (Reddy et al. 2021, 2022): predicted opinion of noise suppression. It hears noise, not naturalness."""

from __future__ import annotations

from dataclasses import dataclass

from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse


@dataclass(frozen=True)
class Dnsmos:
    """Mean over items of one DNSMOS scale. Digital silence is refused by the judge, because the model likes it."""

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


def _scale(name: str, title: str, score: str, definition: str) -> Dnsmos:
    spec = MetricSpec(
        name=name,
        title=title,
        unit="MOS",
        higher_is_better=True,
        kind="item",
        version=1,
        low=1.0,
        high=5.0,
        judge="dnsmos",
        definition=definition,
    )
    return Dnsmos(spec, score)


OVERALL = _scale("dnsmos_ovrl", "DNSMOS", "ovrl", "P.835 overall quality")
SIGNAL = _scale("dnsmos_sig", "DNSMOS SIG", "sig", "P.835 speech signal quality")
BACKGROUND = _scale("dnsmos_bak", "DNSMOS BAK", "bak", "P.835 background noise quality")
P808 = _scale("dnsmos_p808", "DNSMOS P.808", "p808", "P.808 overall quality")
