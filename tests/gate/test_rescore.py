"""A metric or judge that changed: what it did to the baseline's own sounds, and what is left for the model."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from calm_eval.cli import main
from calm_eval.metrics.protocol import ItemValue


@pytest.fixture
def change(monkeypatch):
    """Raises the version of the demo package's level metric and multiplies its values."""
    import calm_eval_demo as demo

    def apply(factor):
        measure = demo.Level.measure

        def changed(self, view):
            value = measure(self, view)
            return value if value.numerator is None else ItemValue(value.numerator * factor, value.denominator)

        monkeypatch.setattr(demo.Level, "spec", replace(demo.Level.spec, version=2))
        monkeypatch.setattr(demo.Level, "measure", changed)

    return apply


def gate(run, tmp_path, *words):
    paths = ["--baseline", str(tmp_path / "baseline"), "--out", str(tmp_path / "out")]
    code = main(["gate", str(run.folder), *paths, *words])
    return code, json.loads((tmp_path / "out" / "gate.json").read_text())["gates"][0]


def test_a_changed_metric_fails_by_its_fingerprint(make, baseline, tmp_path, change) -> None:
    change(1.0)
    code, line = gate(make("after"), tmp_path)
    assert (code, line["cause"]) == (1, "fingerprint")
    assert line["why"] == "demo_level is version 2, the baseline's was 1; --rescore tells what that did"


def test_scored_again_a_metric_that_moved_is_to_blame(make, baseline, tmp_path, change) -> None:
    """A tenth more on the same sounds: all of it is the metric's, and nothing is left for the model."""
    change(1.1)
    code, line = gate(make("after"), tmp_path, "--rescore")
    assert (code, line["cause"]) == (1, "metric")
    assert line["metric_shift"] == pytest.approx(0.1 * line["before"])
    assert line["loss"] == pytest.approx(0, abs=1e-12)


def test_a_change_splits_into_metric_and_rest(make, baseline, tmp_path, change) -> None:
    """Half the level by a metric that says a tenth more: +0.1 from the metric, and a loss of half of 1.1 beside it."""
    change(1.1)
    code, line = gate(make("after", level=0.05, version=2), tmp_path, "--rescore")
    assert (code, line["cause"]) == (1, "metric")
    assert line["metric_shift"] == pytest.approx(0.1 * line["before"])
    assert line["loss"] == pytest.approx(0.55 * line["before"], rel=1e-3)


def test_a_fingerprint_without_another_value_decides_nothing(make, baseline, tmp_path, change, capsys) -> None:
    change(1.0)
    assert gate(make("after"), tmp_path, "--rescore")[0] == 0
    assert "on the baseline's audio each of its values is the same" in capsys.readouterr().out
    assert gate(make("quiet", level=0.05, version=2), tmp_path, "--rescore")[1]["cause"] == "model or environment"


def test_other_values_of_the_same_sounds_are_the_metrics(make, baseline, tmp_path, monkeypatch) -> None:
    """A metric that changes without another version: its fingerprint does not tell, the sounds do."""
    import calm_eval_demo as demo

    measure = demo.Level.measure
    half = lambda self, view: ItemValue(measure(self, view).numerator / 2, 1.0)  # noqa: E731
    monkeypatch.setattr(demo.Level, "measure", half)
    code, line = gate(make("after"), tmp_path)
    assert (code, line["cause"], line["sounds_alike"]) == (1, "metric", 24)


def test_other_weights_of_a_judge_are_named(make, baseline, tmp_path, monkeypatch) -> None:
    import calm_eval_demo as demo

    monkeypatch.setattr(demo.LevelJudge, "info", replace(demo.LevelJudge.info, weights={"net": "0" * 64}))
    code, line = gate(make("after"), tmp_path)
    assert (code, line["cause"]) == (1, "fingerprint")
    assert line["why"].startswith("the judge demo-level is not the baseline's")


def test_without_audio_nothing_can_be_scored_again(make, policy, tmp_path, change, capsys) -> None:
    make("before")
    words = ["--to", str(tmp_path / "baseline"), "--why", "x", "--policy", str(policy())]
    assert main(["baseline", "accept", str(tmp_path / "before"), *words]) == 0
    change(1.1)
    run = make("after")
    assert main(["gate", str(run.folder), "--baseline", str(tmp_path / "baseline"), "--rescore"]) == 2
    assert "keeps no audio" in capsys.readouterr().err
