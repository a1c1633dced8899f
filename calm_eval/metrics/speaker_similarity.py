"""Speaker similarity: cosine between the speaker vectors of a sample and of a recording of the voice it should have.

Against the voice prompt (SIM-o), against the codec's copy of the prompt (SIM-r), or against the recording of the text
that was asked for. Three quantities that are never compared with each other. For a continuation the sample holds only
what comes after the prompt, so nothing is compared with itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from calm_eval.metrics.directions import cosine, mean_vector
from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse
from calm_eval.selftest.check import Check

Voice = Literal["prompt", "prompt_round_trip", "reference"]

SHORT: Mapping[Voice, str] = MappingProxyType(
    {"prompt": "prompt", "prompt_round_trip": "round-trip", "reference": "reference"}
)
"""What a refusal calls the recording that is compared with."""


@dataclass(frozen=True)
class SpeakerSimilarity:
    """Mean over items of the cosine; samples without a voice have no value and are counted by name."""

    spec: MetricSpec
    against: Voice = "prompt"

    def measure(self, view: SampleView) -> ItemValue:
        """Cosine of the two vectors (the mean over frames when a judge gives several)."""
        if view.failure is not None:
            return refuse(view.failure)
        other = view.judgements.get(self.against)
        if other is None:
            return refuse(f"no-{SHORT[self.against]}")
        sample_voice, other_voice = mean_vector(view.judgements["sample"]), mean_vector(other)
        if isinstance(sample_voice, str):
            return refuse(f"judge:{sample_voice}")
        if isinstance(other_voice, str):
            return refuse(f"{SHORT[self.against]}:{other_voice}")
        return ItemValue(cosine(sample_voice, other_voice), 1.0)


def _against(voice: Voice, name: str, title: str, whose: str, judge: str = "resemblyzer") -> SpeakerSimilarity:
    spec = MetricSpec(
        name=name,
        title=title,
        unit="cosine",
        higher_is_better=True,
        kind="item",
        version=1,
        low=-1.0,
        high=1.0,
        needs=(voice,),
        judge=judge,
        judged=("sample", voice),
        definition=f"mean cosine between the speaker vectors of sample and {whose}",
    )
    return SpeakerSimilarity(spec, voice)


SPEAKER_SIMILARITY = _against("prompt", "speaker_similarity", "SIM-o", "voice prompt")
SPEAKER_SIMILARITY_WAVLM = _against(
    "prompt", "speaker_similarity_wavlm", "SIM-o, WavLM-large", "voice prompt", "wavlm-large-ecapa"
)
SPEAKER_SIMILARITY_ROUND_TRIP = _against(
    "prompt_round_trip", "speaker_similarity_round_trip", "SIM-r", "voice prompt after the system's codec"
)
SPEAKER_SIMILARITY_REFERENCE = _against(
    "reference", "speaker_similarity_reference", "SIM to target", "the recording of the text that was asked for"
)

CHECKS = (Check("vectors 3:4 and 1:0", lambda: cosine([3.0, 4.0], [1.0, 0.0]), 0.6, 1e-15),)
