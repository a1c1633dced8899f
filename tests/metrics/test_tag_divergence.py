"""Divergences of tags by hand, against scipy and torch as the tools call it, and the laws of a divergence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.special import rel_entr
from scipy.stats import entropy

from calm_eval.metrics.tag_divergence import (
    PRESETS,
    bernoulli_divergence,
    categorical_divergence,
    logit_divergence,
    pair_by_id,
)


def probabilities(seed: int, windows: int = 4, tags: int = 50) -> Any:
    return 1 / (1 + np.exp(-np.random.default_rng(seed).normal(-2, 2, size=(windows, tags))))


def test_two_hand_written_distributions() -> None:
    reference, generated = [[0.5, 0.25, 0.25]], [[0.25, 0.25, 0.5]]
    assert categorical_divergence(reference, generated) == pytest.approx(0.25 * math.log(2), rel=1e-12)
    # Half against a quarter: log(2) / 2 + log(2 / 3) / 2; a quarter against half: -log(2) / 4 + 3 log(3 / 2) / 4.
    truth = 0.5 * math.log(2) + 0.5 * math.log(2 / 3) + 0.75 * math.log(3 / 2) - 0.25 * math.log(2)
    assert bernoulli_divergence(reference, generated) == pytest.approx(truth, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_scipy(seed: int) -> None:
    reference, generated = probabilities(seed), probabilities(seed + 100, windows=7)
    p, q = reference.mean(axis=0), generated.mean(axis=0)
    assert categorical_divergence(reference, generated) == pytest.approx(entropy(p, q), rel=1e-12)
    bernoulli = float(rel_entr(p, q).sum() + rel_entr(1 - p, 1 - q).sum())
    assert bernoulli_divergence(reference, generated) == pytest.approx(bernoulli, rel=1e-12)


@pytest.mark.parametrize("divergence", [bernoulli_divergence, categorical_divergence])
def test_laws(divergence: Any) -> None:
    for seed in range(30):
        reference, generated = probabilities(seed), probabilities(seed + 100)
        value = divergence(reference, generated)
        assert value > 0
        assert divergence(reference, reference) == 0
        assert divergence(reference, reference[::-1]) == pytest.approx(0, abs=1e-12)
        assert divergence(reference, np.concatenate([generated, generated])) == pytest.approx(value, rel=1e-12)
        order = np.random.default_rng(seed).permutation(50)
        assert divergence(reference[:, order], generated[:, order]) == pytest.approx(value, rel=1e-12)
        assert divergence(generated, reference) != pytest.approx(value, rel=1e-3)


def test_only_bernoulli_sees_how_sure_the_tagger_is() -> None:
    sure = probabilities(1)
    assert categorical_divergence(sure, sure / 2) == pytest.approx(0, abs=1e-3)
    assert bernoulli_divergence(sure, sure / 2) > 1


def test_saturated_probabilities_have_a_finite_divergence() -> None:
    assert bernoulli_divergence([[1.0, 0.0]], [[0.0, 1.0]]) == pytest.approx(2 * math.log((1 - 1e-6) / 1e-6), rel=1e-5)
    assert bernoulli_divergence([[1.0, 0.0]], [[1.0, 0.0]]) == 0
    assert categorical_divergence([[1.0, 0.0]], [[0.0, 1.0]]) == pytest.approx(math.log(1e6), rel=1e-4)
    assert categorical_divergence([[0.0, 0.0]], [[0.5, 0.5]]) == 0  # nothing is heard: every tag alike


@pytest.mark.parametrize("divergence", [bernoulli_divergence, categorical_divergence])
@pytest.mark.parametrize(
    ("reference", "generated", "told"),
    [
        ([0.5, 0.5], [[0.5, 0.5]], "reference: .windows, tags"),
        ([[0.5, 0.5]], np.zeros((0, 2)), "generated: .windows, tags"),
        ([[0.5, 0.5]], [[0.5, 0.5, 0.5]], "one set of tags"),
        ([[0.5, 1.5]], [[0.5, 0.5]], "reference: probabilities"),
        ([[0.5, 0.5]], [[0.5, -0.1]], "generated: probabilities"),
        ([[0.5, math.nan]], [[0.5, 0.5]], "reference: .* NaN"),
    ],
)
def test_what_is_no_answer_of_a_tagger(divergence: Any, reference: Any, generated: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        divergence(reference, generated)


def logits(seed: int, windows: int = 3) -> Any:
    return np.random.default_rng(seed).normal(0, 3, size=(windows, 527))


def as_the_tools_do(first: Any, second: Any, epsilon: float = 1e-6) -> float:
    """torch's kl_div of probabilities as audiocraft, audioldm_eval and stable-audio-metrics call it."""
    torch = pytest.importorskip("torch")
    p, q = torch.softmax(torch.from_numpy(first), -1), torch.softmax(torch.from_numpy(second), -1)
    return float(torch.nn.functional.kl_div((q + epsilon).log(), p, reduction="sum"))


def test_presets_against_torch() -> None:
    reference, generated = logits(1), logits(2)
    found = {
        name: logit_divergence(reference, generated, preset)
        for name, preset in PRESETS.items()
        if preset.pooling != "one_window"
    }
    assert found["audiocraft"] == (pytest.approx(as_the_tools_do(reference, generated), rel=1e-10), 3)
    pooled = as_the_tools_do(generated.mean(axis=0), reference.mean(axis=0))
    assert found["sam"] == (pytest.approx(pooled, rel=1e-10), 1)
    pooled = as_the_tools_do(generated.max(axis=0), reference.max(axis=0))
    assert found["sam-max"] == (pytest.approx(pooled, rel=1e-10), 1)
    found["audioldm"] = logit_divergence(reference[:1], generated[:1], PRESETS["audioldm"])
    assert found["audioldm"] == (pytest.approx(as_the_tools_do(reference[:1], generated[:1]), rel=1e-10), 1)


def test_exact_preset_is_scipys_entropy_of_mean_probabilities() -> None:
    reference, generated = logits(1), logits(2, windows=5)
    p, q = (np.exp(one) / np.exp(one).sum(axis=1, keepdims=True) for one in (reference, generated))
    truth = entropy(p.mean(axis=0), q.mean(axis=0))
    assert logit_divergence(reference, generated, PRESETS["exact"]) == (pytest.approx(truth, rel=1e-12), 1)
    assert logit_divergence(reference, reference, PRESETS["exact"])[0] == pytest.approx(0, abs=1e-12)
    # Adding a constant to the logits of a window changes no probability; huge logits overflow nothing.
    shifted = reference + np.array([[5.0], [-3.0], [1e5]])
    assert logit_divergence(shifted, generated, PRESETS["exact"])[0] == pytest.approx(truth, rel=1e-9)


def test_epsilon_makes_equal_distributions_a_little_negative() -> None:
    for name in ("audiocraft", "sam"):
        value, count = logit_divergence(logits(1) / 10, logits(1) / 10, PRESETS[name])
        # log(q + e) - log(q) is about e / q, and q times it is e for each of 527 classes.
        assert value / count == pytest.approx(-527e-6, rel=1e-3)


def test_pooling_and_direction_are_different_quantities() -> None:
    reference, generated = logits(1), logits(2)
    values = {
        name: value / count
        for name, preset in PRESETS.items()
        if preset.pooling != "one_window"
        for value, count in [logit_divergence(reference, generated, preset)]
    }
    assert values["audiocraft"] > 1.5 * values["exact"]
    assert abs(values["sam"] - values["exact"]) > 0.2 * values["exact"]


def test_windows_that_a_preset_does_not_take() -> None:
    with pytest.raises(ValueError, match="one by one, got 3 and 4"):
        logit_divergence(logits(1, 3), logits(2, 4), PRESETS["audiocraft"])
    with pytest.raises(ValueError, match="'audioldm' hears a clip as one window"):
        logit_divergence(logits(1, 3), logits(2, 3), PRESETS["audioldm"])


def test_pairs_by_id_whatever_the_order() -> None:
    assert pair_by_id({"b": 1, "a": 2}, {"a": 3, "b": 4}) == [("a", 2, 3), ("b", 1, 4)]


def test_unequal_sets_are_named() -> None:
    with pytest.raises(ValueError, match="only in reference: 'c', 'd'; only in generated: 'x'"):
        pair_by_id({"a": 1, "d": 1, "c": 1}, {"a": 1, "x": 1})
    with pytest.raises(ValueError, match=r"only in generated: 'k00', .*'k09' and 3 more$"):
        pair_by_id({}, {f"k{number:02d}": 1 for number in range(13)})
    with pytest.raises(ValueError, match="no pair"):
        pair_by_id({}, {})
