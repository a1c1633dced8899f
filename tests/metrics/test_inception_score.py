"""The inception score against the formula by hand, its bounds, and how little it needs to be moved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from scipy.stats import entropy

from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.inception_score import FEW, INCEPTION_SCORE, inception_score
from calm_eval.metrics.protocol import SampleView, SetSample

PEER = Path(__file__).resolve().parents[1] / "judges" / "goldens" / "audioldm_eval.npz"


def heard(vectors) -> SampleView:
    return SampleView(failure=None, judgements={"sample": Judgement(vectors=np.asarray(vectors, dtype=np.float32))})


def row(logits, seeds=1):
    return [SetSample(f"item-{n // seeds:03d}", n % seeds, heard(one[None])) for n, one in enumerate(logits)]


def by_hand(logits) -> float:
    """exp(H(mean p) - mean H(p)): the mutual information of clip and tag, by scipy's entropies."""
    shares = softmax(np.asarray(logits, dtype=np.float64), axis=1)
    return float(np.exp(entropy(shares.mean(axis=0)) - np.mean([entropy(one) for one in shares])))


def test_entropies_by_hand() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (40, 527))
    assert inception_score(logits, 1) == pytest.approx(by_hand(logits), rel=1e-12)
    order = np.random.RandomState(2020).permutation(40)
    parts = [by_hand(logits[order[4 * part : 4 * part + 4]]) for part in range(10)]
    assert inception_score(logits) == pytest.approx(np.mean(parts), rel=1e-12)


def test_the_formula_in_torch() -> None:
    """As audioldm_eval and torchmetrics have it: double precision, p (log p - log of the mean p), parts by i N / k."""
    torch = pytest.importorskip("torch")
    logits = torch.from_numpy(np.random.default_rng(1).normal(0, 2, (57, 12)))
    p, log_p = logits.softmax(dim=1), logits.log_softmax(dim=1)
    parts = []
    for part in range(5):
        inside = slice(part * 57 // 5, (part + 1) * 57 // 5)
        divergence = p[inside] * (log_p[inside] - p[inside].mean(dim=0, keepdim=True).log())
        parts.append(float(divergence.sum(dim=1).mean().exp()))
    assert inception_score(logits.numpy(), 5, None) == pytest.approx(np.mean(parts), rel=1e-12)


def test_the_tools_own_number() -> None:
    """What `calculate_isc` of audioldm_eval 0.0.3 says of the same logits."""
    logits = 3 * np.random.default_rng(0).standard_normal((57, 12))
    with np.load(PEER) as told:
        assert inception_score(logits) == pytest.approx(float(told["isc"]), rel=1e-12)


def test_bounds() -> None:
    sure = 200.0 * np.eye(8)
    assert inception_score(sure, 1) == pytest.approx(8.0, rel=1e-9)
    assert inception_score(np.repeat(sure, 5, axis=0), 1) == pytest.approx(8.0, rel=1e-9)
    assert inception_score(np.ones((8, 527)), 2) == pytest.approx(1.0, rel=1e-12)
    assert inception_score(sure - 1e6, 1) == pytest.approx(8.0, rel=1e-9)


def test_it_grows_with_the_set() -> None:
    """The same clips, more of them: the tool's parts hold a tenth of the set, and are bounded by what they hold."""
    rng = np.random.default_rng(2)
    logits = 12.0 * np.eye(60)[rng.integers(0, 60, 2000)] + rng.normal(0, 1, (2000, 60))
    found = [inception_score(logits[:count]) for count in (20, 200, 2000)]
    assert found[0] < 2.01
    assert found[1] > 5 * found[0]
    assert found[2] > 2 * found[1]


def test_what_is_surely_wrong_scores_as_well() -> None:
    logits = np.random.default_rng(3).normal(0, 5, (50, 20))
    assert inception_score(logits[:, ::-1], 1) == pytest.approx(inception_score(logits, 1), rel=1e-12)


def test_hidden_states_in_the_place_of_logits() -> None:
    """audioldm_eval since its default is MERT: the softmax of 768 hidden states of size 0.1. Every set scores about 1
    and every pair has a KL of about 0.01, whatever was heard."""
    rng = np.random.default_rng(4)
    hidden = [rng.normal(0, 0.1, (60, 768)) for _ in range(2)]
    assert inception_score(hidden[0]) < 1.01
    p, q = (log_softmax(one, axis=1) for one in hidden)
    assert (np.exp(p) * (p - q)).sum(axis=1).mean() == pytest.approx(0.01, rel=0.1)


def test_a_row() -> None:
    logits = np.random.default_rng(5).normal(0, 3, (120, 30))
    found = INCEPTION_SCORE.measure_set(row(logits), [])
    assert found.value == pytest.approx(inception_score(logits.astype(np.float32)), rel=1e-9)
    assert found.low < found.value < found.high
    assert (found.scored, found.warnings, found.notes["most that it can be"]) == (120, (), 12.0)
    backwards = INCEPTION_SCORE.measure_set(row(logits)[::-1], [])
    assert (backwards.value, backwards.low) == pytest.approx((found.value, found.low), rel=1e-9)
    assert FEW in INCEPTION_SCORE.measure_set(row(logits[:40]), []).warnings


def test_the_interval_is_as_wide_as_sets_differ() -> None:
    """Forty sets of one distribution: the mean of their scores lies in nearly all intervals, and these are of the width
    that the scores themselves say."""
    base = np.random.default_rng(9).normal(0, 1, 40)
    sets = [2.5 * np.random.default_rng(seed).normal(0, 1, (100, 40)) + base for seed in range(40)]
    found = [INCEPTION_SCORE.measure_set(row(one), []) for one in sets]
    values = np.array([one.value for one in found])
    assert np.mean([one.low <= values.mean() <= one.high for one in found]) >= 0.9
    width = np.mean([one.high - one.low for one in found]) / (2 * 2.093)
    assert 0.8 < width / values.std(ddof=1) < 1.4


def test_seeds_of_an_item_go_together() -> None:
    logits = np.random.default_rng(6).normal(0, 3, (60, 30))
    together, apart = (INCEPTION_SCORE.measure_set(row(logits, seeds), []) for seeds in (3, 1))
    assert together.value == pytest.approx(apart.value, rel=1e-9)
    assert together.low != pytest.approx(apart.low, rel=1e-3)


def test_what_has_no_value() -> None:
    few = INCEPTION_SCORE.measure_set(row(np.zeros((19, 5))), [])
    assert (few.value, few.refused) == (None, "too few clips")
    # As many clips as parts: the tool's number is 1 whatever was heard.
    drawn = np.random.default_rng(7).normal(0, 9, (10, 5))
    assert [by_hand(one[None]) for one in drawn] == pytest.approx([1.0] * 10)
    failed = SetSample("gone", 0, SampleView(failure="crash"))
    assert INCEPTION_SCORE.measure_set([failed, *row(np.zeros((30, 5)))], []).failures == {"crash": 1}
    windows = [SetSample("long", 0, heard(np.zeros((2, 5))))]
    assert INCEPTION_SCORE.measure_set(windows, []).refused == "several windows a clip"
    for wrong in (np.zeros(4), np.full((30, 2), np.nan), np.zeros((3, 2))):
        with pytest.raises(ValueError, match=r"finite logits|at least two clips"):
            inception_score(wrong)
