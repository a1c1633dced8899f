"""The two gates: collapsed texts, matched above permuted; p-values against scipy and full enumeration."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import stats

from calm_eval.metrics.text_audio_gates import LEAST, gate_sample, matched_gate, text_cosine_gate

TEXTS = [f"caption {number}" for number in range(30)]


def matched_scores(strength: float, count: int = 30, seed: int = 1) -> Any:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(count, count)) + strength * np.eye(count)


def test_cosine_of_texts_with_a_common_part_by_closed_form() -> None:
    # Unit vectors a + b e_i with a common direction: cosine a^2 / (a^2 + b^2) between any two.
    for common, verdict in ((0.0, "valid"), (2.0, "valid"), (3.1, "invalid"), (30.0, "invalid")):
        vectors = np.hstack([np.full((30, 1), common), np.eye(30)])
        gate = text_cosine_gate(TEXTS, vectors)
        assert gate.measured == pytest.approx(common**2 / (common**2 + 1), abs=1e-12)
        assert (gate.verdict, gate.n, gate.limit) == (verdict, 30, 0.9)


def test_a_text_that_occurs_twice_counts_once() -> None:
    vectors = np.eye(30)
    gate = text_cosine_gate([*TEXTS, TEXTS[0], TEXTS[0]], np.vstack([vectors, vectors[:1], vectors[:1]]))
    assert (gate.measured, gate.n) == (pytest.approx(0.0, abs=1e-15), 30)


@pytest.mark.parametrize("count", [0, 1, LEAST - 1])
def test_too_few_texts_cannot_be_checked(count: int) -> None:
    texts = TEXTS[:count]
    many = text_cosine_gate(texts, np.ones((count, 3)))
    for gate in (many, matched_gate(texts, np.eye(count))):
        assert (gate.verdict, gate.n, gate.measured, gate.p_value) == ("not checkable", count, None, None)
        assert f"at least {LEAST}" in gate.told
    # Many pairs of few texts are few texts.
    assert matched_gate(["same"] * 20, np.eye(20)).verdict == "not checkable"
    assert text_cosine_gate(["same"] * 20, np.ones((20, 3))).verdict == "not checkable"


def test_scipys_permutation_test() -> None:
    for strength, seed in ((0.15, 1), (0.3, 2), (0.6, 3)):
        table = matched_scores(strength, seed=seed)
        theirs = stats.permutation_test(
            (np.arange(30),),
            lambda rows, table=table: table[rows, np.arange(30)].mean(),
            permutation_type="pairings",
            alternative="greater",
            n_resamples=9999,
            rng=5,
        )
        ours = matched_gate(TEXTS, table)
        assert ours.p_value == pytest.approx(theirs.pvalue, abs=4 * np.sqrt(theirs.pvalue / 9999) + 2e-4)


def test_p_of_all_permutations() -> None:
    table = matched_scores(0.5, count=8, seed=3)
    columns = np.arange(8)
    every = np.array([table[list(rows), columns].sum() for rows in itertools.permutations(range(8))])
    share = float((every >= np.trace(table) - 1e-9).mean())
    ours = matched_gate(TEXTS[:8], table)
    assert ours.p_value == pytest.approx(share, abs=4 * np.sqrt(share / 9999) + 2e-4)
    assert ours.measured == pytest.approx(np.trace(table) / 8 - (table.sum() - np.trace(table)) / 56, rel=1e-12)


def test_a_model_that_hears_and_one_that_does_not() -> None:
    hears = matched_gate(TEXTS, matched_scores(2.0))
    assert (hears.verdict, hears.n) == ("valid", 30)
    assert hears.p_value == pytest.approx(1e-4)  # the least that 9999 permutations can give
    shuffled = matched_scores(2.0)[np.roll(np.arange(30), 1)]
    deaf = matched_gate(TEXTS, shuffled)
    assert deaf.verdict == "invalid"
    assert deaf.p_value is not None
    assert deaf.p_value > 0.5
    against = matched_gate(TEXTS, matched_scores(-2.0))
    assert (against.verdict, against.p_value) == ("invalid", 1.0)


def test_the_level_is_kept_without_any_agreement() -> None:
    rejected = sum(
        matched_gate(TEXTS, matched_scores(0.0, seed=seed), permutations=199).verdict == "valid" for seed in range(400)
    )
    # Binomial(400, 0.05): 20, and between 8 and 36 in all but 1 of 4000 cases.
    assert 8 <= rejected <= 36


def test_equal_scores_and_equal_columns_are_no_agreement() -> None:
    assert matched_gate(TEXTS, np.full((30, 30), 0.3)).p_value == 1.0
    # Some audios score high and some texts do: no permutation changes the sum.
    generator = np.random.default_rng(1)
    additive = generator.normal(size=(30, 1)) + generator.normal(size=(1, 30))
    assert matched_gate(TEXTS, additive).p_value == 1.0


def test_scale_shift_and_order() -> None:
    table = matched_scores(0.3)
    truth = matched_gate(TEXTS, table)
    assert truth.p_value == matched_gate(TEXTS, 7 * table - 100).p_value
    assert truth == matched_gate(TEXTS, table)
    order = np.random.default_rng(1).permutation(30)
    moved = matched_gate([TEXTS[number] for number in order], table[np.ix_(order, order)])
    assert moved.measured == pytest.approx(truth.measured, rel=1e-12)
    assert moved.p_value == pytest.approx(truth.p_value, abs=0.02)


def test_shapes_and_nan() -> None:
    with pytest.raises(ValueError, match="one vector for each of 30 texts"):
        text_cosine_gate(TEXTS, np.eye(29))
    with pytest.raises(ValueError, match="no direction"):
        text_cosine_gate(TEXTS, np.zeros((30, 4)))
    for bad in (np.eye(29), np.full((30, 30), np.nan)):
        with pytest.raises(ValueError, match="finite scores"):
            matched_gate(TEXTS, bad)


def test_sample_of_a_gate_depends_on_ids_alone() -> None:
    ids = [f"item-{number}" for number in range(2000)]
    chosen = gate_sample(ids)
    assert len(set(chosen)) == 500
    assert gate_sample(reversed(ids)) == chosen
    assert gate_sample(ids[:5]) != ids[:5]
    assert sorted(gate_sample(ids[:5])) == ids[:5]
