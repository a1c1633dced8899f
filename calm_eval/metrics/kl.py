"""`kl`, `kl_categorical`: divergence of a sample's tags from those of its own reference, the mean over pairs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.protocol import ItemValue, MetricSpec, SampleView, refuse
from calm_eval.metrics.tag_divergence import FLOOR, bernoulli_divergence, categorical_divergence
from calm_eval.selftest.check import Check


@dataclass(frozen=True)
class TagDivergence:
    """KL(reference || generated) of clip-level tag probabilities, in nats. Arithmetic: `tag_divergence.py`."""

    spec: MetricSpec
    divergence: Callable[[ArrayLike, ArrayLike], float]

    def measure(self, view: SampleView) -> ItemValue:
        """One pair. No value when either side has no tags; the name says which side."""
        pair = tagged_pair(view)
        return refuse(pair) if isinstance(pair, str) else ItemValue(self.divergence(*pair), 1.0)


def tagged_pair(view: SampleView) -> tuple[NDArray[np.float32], NDArray[np.float32]] | str:
    """A tagger's answers [windows, tags] on reference and sample, or why there are none of one of them."""
    if view.failure is not None:
        return view.failure
    reference = view.judgements.get("reference")
    if reference is None:
        return "no-reference"
    generated_tags, reference_tags = _tags(view.judgements["sample"]), _tags(reference)
    if isinstance(generated_tags, str):
        return f"judge:{generated_tags}"
    if isinstance(reference_tags, str):
        return f"reference:{reference_tags}"
    return reference_tags, generated_tags


def _tags(judgement: Judgement) -> NDArray[np.float32] | str:
    if judgement.refused is not None:
        return judgement.refused
    if judgement.vectors is None or len(judgement.vectors) == 0:
        return "no-tags"
    return judgement.vectors


def _spec(name: str, title: str, form: str, definition: str) -> MetricSpec:
    return MetricSpec(
        name=name,
        title=title,
        unit="nats",
        higher_is_better=False,
        kind="pair",
        version=1,
        low=0.0,
        needs=("reference",),
        judge="musicnn-mtt-tags",
        judged=("sample", "reference"),
        parameters={
            "direction": "KL(reference || generated)",
            "clip": "mean of the windows' probabilities",
            "form": form,
            "floor": FLOOR,
        },
        definition=definition,
    )


KL = TagDivergence(
    _spec("kl", "KL", "sum over tags of Bernoulli divergences", "mean over pairs of KL(reference || sample) of tags"),
    bernoulli_divergence,
)
KL_CATEGORICAL = TagDivergence(
    _spec(
        "kl_categorical",
        "KL, categorical",
        "one divergence of probabilities brought to sum 1",
        "mean over pairs of KL(reference || sample) of tags as shares",
    ),
    categorical_divergence,
)

CHECKS = (
    Check("one tag at 1/2 against 1/4", lambda: bernoulli_divergence([[0.5]], [[0.25]]), 0.5 * np.log(4 / 3), 1e-12),
    Check(
        "shares 3:1 against 1:1",
        lambda: categorical_divergence([[0.75, 0.25]], [[0.5, 0.5]]),
        0.75 * np.log(1.5) + 0.25 * np.log(0.5),
        1e-12,
    ),
)
