"""TorchAudio-Squim (Kumar et al. 2023): what PESQ, STOI and SI-SDR are guessed to be, without a reference."""

from __future__ import annotations

from dataclasses import dataclass

from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse


@dataclass(frozen=True)
class Squim:
    """Mean over items of one guess. It is not the measure itself, which needs the clean recording."""

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


def _guess(name: str, title: str, unit: str, score: str, low: float | None, high: float | None) -> Squim:
    spec = MetricSpec(
        name=name,
        title=title,
        unit=unit,
        higher_is_better=True,
        kind="item",
        version=1,
        low=low,
        high=high,
        judge="squim",
        definition=f"{title.removeprefix('Squim ')} as TorchAudio-Squim guesses it from the sample alone",
    )
    return Squim(spec, score)


PESQ = _guess("squim_pesq", "Squim PESQ", "MOS-LQO", "pesq", 1.0, 4.65)
STOI = _guess("squim_stoi", "Squim STOI", "score", "stoi", 0.0, 1.0)
SI_SDR = _guess("squim_si_sdr", "Squim SI-SDR", "dB", "si_sdr", None, None)
