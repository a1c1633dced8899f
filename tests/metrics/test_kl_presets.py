"""What three tools call KL, against scipy on logits by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.kl_presets import KL_AUDIOCRAFT, KL_AUDIOLDM, KL_AUDIOLDM_SIGMOID, KL_SAM
from calm_eval.metrics.protocol import SampleView


def view(sample, reference) -> SampleView:
    judgements = {"sample": sample, "reference": reference}
    return SampleView(failure=None, judgements=judgements)


def test_the_tools_arithmetic() -> None:
    drawn = np.random.default_rng(0).normal(0, 3, (2, 1, 527)).astype(np.float32)
    generated, reference = (Judgement(vectors=one) for one in drawn)
    q, p = softmax(drawn.astype(np.float64), axis=-1)[:, 0]
    found = KL_AUDIOLDM.measure(view(generated, reference))
    assert found.numerator == pytest.approx(float((p * (np.log(p) - np.log(q + 1e-6))).sum()), rel=1e-9)
    assert found.denominator == 1.0


def test_a_side_without_an_answer_is_named() -> None:
    there, gone = Judgement(vectors=np.zeros((1, 4), dtype=np.float32)), Judgement(refused="silent")
    assert KL_AUDIOLDM.measure(view(gone, there)).refused == "judge:silent"
    assert KL_AUDIOLDM.measure(view(there, gone)).refused == "reference:silent"


def test_segments_are_counted_and_need_their_counterpart() -> None:
    drawn = np.random.default_rng(1).normal(0, 2, (2, 3, 5)).astype(np.float32)
    generated, reference = (Judgement(vectors=one) for one in drawn)
    q, p = softmax(drawn.astype(np.float64), axis=-1)
    found = KL_AUDIOCRAFT.measure(view(generated, reference))
    assert found.numerator == pytest.approx(float((p * (np.log(p) - np.log(q + 1e-6))).sum()), rel=1e-9)
    assert found.denominator == 3.0
    shorter = Judgement(vectors=drawn[0][:2])
    assert KL_AUDIOCRAFT.measure(view(shorter, reference)).refused == "other-length"


def test_the_other_direction_of_mean_logits() -> None:
    drawn = np.random.default_rng(2).normal(0, 2, (2, 3, 5)).astype(np.float32)
    generated, reference = (Judgement(vectors=one) for one in drawn)
    q, p = softmax(drawn.astype(np.float64).mean(axis=1), axis=-1)
    found = KL_SAM.measure(view(generated, reference))
    assert found.numerator == pytest.approx(float((q * (np.log(q) - np.log(p + 1e-6))).sum()), rel=1e-9)


def test_both_numbers_of_audioldm_eval() -> None:
    """`calculate_kl` of audioldm_eval 0.0.3 on these logits; the second is no divergence."""
    drawn = np.random.default_rng(0).normal(0, 3, (2, 1, 527)).astype(np.float32)
    pair = view(*(Judgement(vectors=one) for one in drawn))
    assert KL_AUDIOLDM.measure(pair).numerator == pytest.approx(6.474576, rel=1e-5)
    assert KL_AUDIOLDM_SIGMOID.measure(pair).numerator == pytest.approx(254.94975, rel=1e-5)
    zeros, threes = (Judgement(vectors=np.full((1, 2), one, dtype=np.float32)) for one in (0, 3))
    assert KL_AUDIOLDM_SIGMOID.measure(view(threes, zeros)).numerator == pytest.approx(-0.6445, abs=1e-3)
