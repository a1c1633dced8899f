"""What leaves a run: the numbers of its summary, in each format, and a schema that stays readable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import calm_eval
from calm_eval.cli import main
from calm_eval.errors import InputError
from calm_eval.reports.exports.model_index import TASKS, model_index
from calm_eval.reports.exports.results import READABLE, read_results, results
from calm_eval.specs.suite import Task

GOLDEN = Path(__file__).parent / "results_versions"


@pytest.fixture
def run(tmp_path, tone_suite):
    suite = tone_suite(4, metrics=["demo_level", "log_mel_distance", "rtf"], systems=["reference", "silence"])
    return calm_eval.evaluate(str(suite), out=tmp_path / "run")


def test_json_holds_the_summary(run, tmp_path) -> None:
    assert main(["export", str(run.folder), "json", "--out", str(tmp_path / "r.json")]) == 0
    told = read_results(tmp_path / "r.json")
    (suite,) = told.suites
    summary = run.summary().set_index(["variant", "fingerprint"])
    assert len(suite["estimates"]) == len(summary)
    for one in suite["estimates"]:
        same = summary.loc[(one["row"], one["fingerprint"])]
        for key in ("value", "low", "high"):
            assert one[key] == (None if same[key] != same[key] else pytest.approx(same[key]))
        assert (one["n_scored"], one["n_expected"]) == (same["n_scored"], same["n_expected"])


@pytest.mark.parametrize("version", READABLE)
def test_every_released_version_is_read(version) -> None:
    told = read_results(GOLDEN / f"version_{version}.json")
    estimate = next(one for one in told.suites[0]["estimates"] if one["metric"] == "wer")
    assert (estimate["row"], estimate["value"], estimate["n_scored"]) == ("piper", 0.024, 40)
    assert told.suites[0]["rows"][0]["system"] == "piper"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing", "no JSON that can be read"),
        ('{"schema": "other", "version": 1}', "not of the schema calm-eval-results"),
        ('{"schema": "calm-eval-results", "version": 99}', "version 99 of calm-eval-results; this calm-eval reads 1"),
    ],
)
def test_what_is_no_result_is_refused(tmp_path, text, said) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match=said):
        read_results(tmp_path / "x.json")


def test_a_model_index_as_the_hub_reads_it(run) -> None:
    told = results(run)
    (entry,) = yaml.safe_load(model_index(told, "reference"))["model-index"]
    assert entry["name"] == "reference"
    (result,) = entry["results"]
    assert result["task"]["type"] == "text-to-speech"
    assert result["dataset"]["args"]["items"] == 4
    level = next(one for one in result["metrics"] if one["type"] == "demo_level")
    mine = run.summary().set_index(["variant", "metric"]).loc[("reference", "demo_level")]
    assert level["value"] == pytest.approx(mine["value"])
    assert level["args"]["n"] == 4
    with pytest.raises(InputError, match="no values of a row 'nobody'; rows: reference, silence"):
        model_index(told, "nobody")


def test_every_task_has_a_name_at_the_hub() -> None:
    assert set(TASKS) == set(Task.__args__)


def test_tensorboard_reads_it_back(run, tmp_path) -> None:
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    assert main(["export", str(run.folder), "tensorboard", "--out", str(tmp_path / "tb")]) == 0
    found = events.EventAccumulator(str(tmp_path / "tb" / "tones" / "reference")).Reload()
    mine = run.summary().set_index(["variant", "metric"]).loc[("reference", "demo_level")]
    name = next(one for one in found.Tags()["scalars"] if one.startswith("demo_level") and one.count(".") <= 1)
    assert found.Scalars(name)[0].value == pytest.approx(mine["value"], rel=1e-6)


def test_mlflow_reads_it_back(run, tmp_path) -> None:
    tracking = pytest.importorskip("mlflow.tracking")
    assert main(["export", str(run.folder), "mlflow", "--out", str(tmp_path / "ml")]) == 0
    client = tracking.MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'ml' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("tones")
    runs = {one.info.run_name: one.data for one in client.search_runs([experiment.experiment_id])}
    mine = run.summary().set_index(["variant", "metric"]).loc[("reference", "demo_level")]
    values = [value for name, value in runs["reference"].metrics.items() if name.startswith("demo_level")]
    assert pytest.approx(mine["value"]) in values


def test_wandb_writes_offline(run, tmp_path) -> None:
    pytest.importorskip("wandb")
    assert main(["export", str(run.folder), "wandb", "--out", str(tmp_path / "wb")]) == 0
    assert len(list((tmp_path / "wb").rglob("*.wandb"))) == 2  # a row each


def test_wrong_words_and_missing_packages_are_said(run, tmp_path, capsys, monkeypatch) -> None:
    assert main(["export", str(run.folder), "model-index", "--out", str(tmp_path / "x")]) == 2
    assert "name the row with --row" in capsys.readouterr().err
    assert main(["export", str(run.folder), "json", "--out", str(tmp_path / "no" / "x")]) == 2
    assert "No such file or directory" in capsys.readouterr().err
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)
    assert main(["export", str(run.folder), "wandb", "--out", str(tmp_path / "wb")]) == 4
    assert "install calm-eval[wandb]" in capsys.readouterr().err


def test_json_is_plain(run, tmp_path) -> None:
    main(["export", str(run.folder), "json", "--out", str(tmp_path / "r.json")])
    text = (tmp_path / "r.json").read_text()
    assert "NaN" not in text
    assert json.loads(text)["version"] in READABLE
