"""Metrics that pass a judge's opinion on, and the SIM of WavLM-large."""

from __future__ import annotations

import numpy as np
import pytest

import calm_eval
from calm_eval.judges import JUDGES
from calm_eval.judges.protocol import Judgement
from calm_eval.metrics import METRICS
from calm_eval.metrics.protocol import SampleView

SCORES = {"utmos": "mos", "audiobox_ce": "CE", "audiobox_cu": "CU", "audiobox_pc": "PC", "audiobox_pq": "PQ"}


@pytest.mark.parametrize("name", SCORES)
def test_an_opinion_is_passed_on_and_a_refusal_is_named(name) -> None:
    metric = METRICS.load(name)
    scores = {"mos": 1.5, "CE": 2.5, "CU": 3.5, "PC": 4.5, "PQ": 10.5}
    value = metric.measure(SampleView(None, judgements={"sample": Judgement(scores=scores)}))
    assert (value.numerator, value.denominator) == (scores[SCORES[name]], 1.0)
    refused = metric.measure(SampleView(None, judgements={"sample": Judgement(refused="silent")}))
    assert refused.refused == "judge:silent"
    assert metric.measure(SampleView("crash")).refused == "crash"


def test_each_has_a_judge_of_that_score() -> None:
    for name in SCORES:
        spec = METRICS.load(name).spec
        assert JUDGES.load(spec.judge)(random=0).info.output == "scores"
        assert (spec.low, spec.high) == (None, None)


def test_sim_with_wavlm_large_is_the_same_arithmetic_on_another_judge() -> None:
    metric = METRICS.load("speaker_similarity_wavlm")
    assert metric.spec.judge == "wavlm-large-ecapa"
    assert metric.spec.judged == ("sample", "prompt")
    first, second = (Judgement(vectors=np.array([vector], dtype=np.float32)) for vector in ([3, 4], [4, 3]))
    value = metric.measure(SampleView(None, judgements={"sample": first, "prompt": second}))
    assert value.numerator == pytest.approx(24 / 25)
    assert metric.measure(SampleView(None, judgements={"sample": first})).refused == "no-prompt"


def test_a_suite_with_random_weights_runs_and_scores_nothing(tone_suite, tmp_path) -> None:
    pytest.importorskip("torch")
    judge = {"name": "utmos", "options": {"random": 0}}
    suite = tone_suite(2, metrics=[{"name": "utmos", "judge": judge}], systems=["reference"])
    run = calm_eval.evaluate(str(suite), out=tmp_path / "run")
    ((_, (cell,)),) = run.cells()
    assert cell.estimate.value is None
    assert dict(cell.estimate.failures) == {"unscored": 2}
    assert "random weights: not scored" in (run.folder / "report.md").read_text()
