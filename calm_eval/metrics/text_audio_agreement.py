"""`text_audio_agreement`: cosine of a sample and its caption in a judge's common space, behind two validity gates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calm_eval.metrics.directions import cosine, mean_vector
from calm_eval.metrics.protocol import GateVerdict, ItemValue, MetricSpec, SampleView, SetSample, refuse
from calm_eval.metrics.text_audio_gates import Gate, gate_sample, matched_gate, text_cosine_gate
from calm_eval.selftest.check import Check


@dataclass(frozen=True)
class TextAudioAgreement:
    """Mean over items of the cosine. Both gates of `text_audio_gates.py` run on every row by themselves."""

    spec: MetricSpec

    def measure(self, view: SampleView) -> ItemValue:
        """Cosine of the vectors of sample and text (the mean over frames when a judge gives several)."""
        if view.failure is not None:
            return refuse(view.failure)
        text = view.judgements.get("text")
        if text is None:
            return refuse("no-text")
        heard, read = mean_vector(view.judgements["sample"]), mean_vector(text)
        if isinstance(heard, str):
            return refuse(f"judge:{heard}")
        if isinstance(read, str):
            return refuse(f"text:{read}")
        return ItemValue(cosine(heard, read), 1.0)

    def gate(self, samples: Sequence[SetSample]) -> GateVerdict:
        """Invalid when texts all look alike to the judge, or when captions fit other samples as well as their own."""
        places = {f"{one.item}#{one.seed}": number for number, one in enumerate(samples)}
        texts: list[str] = []
        words: list[NDArray[np.float64]] = []
        sounds: list[NDArray[np.float64]] = []
        for name in gate_sample(places):
            view = samples[places[name]].view
            told, heard = view.judgements.get("text"), view.judgements.get("sample")
            if view.text is None or told is None or heard is None:
                continue
            word, sound = mean_vector(told), mean_vector(heard)
            if not (isinstance(word, str) or isinstance(sound, str)):
                texts.append(view.text)
                words.append(word / np.linalg.norm(word))
                sounds.append(sound / np.linalg.norm(sound))
        if not texts:
            return GateVerdict()
        gates = [text_cosine_gate(texts, np.stack(words)), matched_gate(texts, np.stack(words) @ np.stack(sounds).T)]
        invalid = [gate.name.replace("_", " ") for gate in gates if gate.verdict == "invalid"]
        unknown = tuple(f"{_short(gate)} not checkable" for gate in gates if gate.verdict == "not checkable")
        return GateVerdict(
            invalid="gate: not " + ", not ".join(_claim(name) for name in invalid) if invalid else None,
            warnings=unknown,
            notes={_short(gate): f"{gate.verdict} ({gate.told})" for gate in gates},
        )


def _short(gate: Gate) -> str:
    return f"gate {gate.name.replace('_', ' ')}"


def _claim(name: str) -> str:
    return {"text cosine": "telling texts apart", "matched above permuted": "telling captions apart"}[name]


def agreement(name: str, title: str, judge: str, definition: str) -> TextAudioAgreement:
    """The metric with a judge of audio and texts, behind both gates."""
    return TextAudioAgreement(
        MetricSpec(
            name=name,
            title=title,
            unit="cosine",
            higher_is_better=True,
            kind="item",
            version=1,
            low=-1.0,
            high=1.0,
            needs=("text",),
            judge=judge,
            judged=("sample", "text"),
            parameters={
                "gates": ["mean cosine of different texts below 0.9", "matched above permuted, p at most 0.05"]
            },
            definition=definition,
        )
    )


TEXT_AUDIO_AGREEMENT = agreement(
    "text_audio_agreement",
    "Text-audio agreement",
    "musicnn-mtt-minilm",
    "mean cosine between sample and caption in the judge's space; not a CLAP score",
)

CHECKS = (Check("vectors 3:4 and 1:0", lambda: cosine([3.0, 4.0], [1.0, 0.0]), 0.6, 1e-15),)
