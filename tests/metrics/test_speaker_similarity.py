"""Cosine by closed forms and laws; when there is no voice to compare."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cosine as scipy_distance

from calm_eval.judges.protocol import Judgement
from calm_eval.keys import digest
from calm_eval.metrics.directions import cosine
from calm_eval.metrics.identity import metric_identity
from calm_eval.metrics.protocol import ItemValue, SampleView
from calm_eval.metrics.speaker_similarity import (
    SPEAKER_SIMILARITY,
    SPEAKER_SIMILARITY_REFERENCE,
    SPEAKER_SIMILARITY_ROUND_TRIP,
    SpeakerSimilarity,
    Voice,
)


@pytest.mark.parametrize(
    ("first", "second", "truth"),
    [
        ([1, 0], [1, 0], 1.0),
        ([1, 0], [0, 2], 0.0),
        ([1, 0], [-3, 0], -1.0),
        ([1, 0], [1, 1], 0.5**0.5),
        ([3, 4], [4, 3], 24 / 25),
        ([1, 2, 2], [2, 1, -2], 0.0),
    ],
)
def test_closed_forms(first: list[float], second: list[float], truth: float) -> None:
    assert cosine(first, second) == pytest.approx(truth, abs=1e-15)


def test_against_scipy_and_scale() -> None:
    generator = np.random.default_rng(1)
    for _ in range(100):
        a, b = generator.standard_normal((2, 256))
        truth = 1 - scipy_distance(a, b)
        assert cosine(a, b) == pytest.approx(truth, abs=1e-12)
        assert cosine(b, a) == pytest.approx(truth, abs=1e-12)
        for scale in (1e-300, 1e-6, 1e6, 1e300):
            assert cosine(scale * a, b) == pytest.approx(truth, abs=1e-12)
        assert cosine(-a, b) == pytest.approx(-truth, abs=1e-12)


def test_never_leaves_its_range() -> None:
    for size in range(1, 300):
        vector = np.full(size, 0.1, dtype=np.float32)
        assert cosine(vector, vector) <= 1.0
        assert cosine(vector, vector) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("first", "second"),
    [([0, 0], [1, 0]), ([1, 0], [0, 0]), ([1], [1, 0]), ([[1, 0]], [[1, 0]]), ([np.nan, 1], [1, 1]), ([np.inf], [1])],
)
def test_no_direction_no_cosine(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="vector"):
        cosine(first, second)


def vectors(*rows: list[float]) -> Judgement:
    return Judgement(vectors=np.array(rows, dtype=np.float32).reshape(len(rows), -1))


def measured(sample: Judgement, prompt: Judgement | None) -> ItemValue:
    judgements = {"sample": sample} if prompt is None else {"sample": sample, "prompt": prompt}
    return SPEAKER_SIMILARITY.measure(SampleView(failure=None, judgements=judgements))


def test_value_is_the_cosine_of_the_mean_vectors() -> None:
    value = measured(vectors([2, 0], [0, 2]), vectors([1, 0]))
    assert value.numerator == pytest.approx(0.5**0.5, abs=1e-7)
    assert value.denominator == 1


SPEECH = vectors([1, 0])


@pytest.mark.parametrize(
    ("sample", "prompt", "name"),
    [
        (SPEECH, None, "no-prompt"),
        (Judgement(refused="no-speech"), SPEECH, "judge:no-speech"),
        (SPEECH, Judgement(refused="no-speech"), "prompt:no-speech"),
        (Judgement(refused="a"), Judgement(refused="b"), "judge:a"),
        (Judgement(), SPEECH, "judge:no-vector"),
        (vectors([0, 0]), SPEECH, "judge:no-direction"),
        (SPEECH, vectors([1, -1], [-1, 1]), "prompt:no-direction"),
        (vectors([np.nan, 1]), SPEECH, "judge:no-direction"),
        (Judgement(vectors=np.zeros((0, 2), dtype=np.float32)), SPEECH, "judge:no-vector"),
    ],
)
def test_no_voice_has_a_name(sample: Judgement, prompt: Judgement | None, name: str) -> None:
    assert measured(sample, prompt) == ItemValue(refused=name)


@pytest.mark.parametrize("failure", ["empty", "nan", "crash", "timeout"])
def test_failed_sample(failure: str) -> None:
    assert SPEAKER_SIMILARITY.measure(SampleView(failure=failure)) == ItemValue(refused=failure)


VARIANTS: list[tuple[SpeakerSimilarity, Voice, str]] = [
    (SPEAKER_SIMILARITY, "prompt", "prompt"),
    (SPEAKER_SIMILARITY_ROUND_TRIP, "prompt_round_trip", "round-trip"),
    (SPEAKER_SIMILARITY_REFERENCE, "reference", "reference"),
]


@pytest.mark.parametrize(("metric", "voice", "short"), VARIANTS, ids=[row[1] for row in VARIANTS])
def test_each_variant_hears_its_own_recording(metric: SpeakerSimilarity, voice: Voice, short: str) -> None:
    judgements = {"sample": vectors([3, 4]), "prompt": vectors([1, 0]), "reference": vectors([0, 1])}
    judgements["prompt_round_trip"] = vectors([4, 3])
    truth = {"prompt": 3 / 5, "prompt_round_trip": 24 / 25, "reference": 4 / 5}[voice]
    assert metric.measure(SampleView(failure=None, judgements=judgements)).numerator == pytest.approx(truth, abs=1e-15)
    assert metric.spec.judged == ("sample", voice)
    assert metric.spec.needs == (voice,)
    alone = {name: one for name, one in judgements.items() if name != voice}
    assert metric.measure(SampleView(failure=None, judgements=alone)) == ItemValue(refused=f"no-{short}")
    mute = {**judgements, voice: Judgement(refused="silent")}
    assert metric.measure(SampleView(failure=None, judgements=mute)) == ItemValue(refused=f"{short}:silent")


def test_variants_are_three_quantities() -> None:
    assert len({digest(metric_identity(metric.spec, None)) for metric, *_ in VARIANTS}) == 3
