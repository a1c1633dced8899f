"""A baseline written and read: nothing is lost, nothing else is overwritten."""

from __future__ import annotations

import json

import pytest

from calm_eval.cli import main
from calm_eval.errors import InputError
from calm_eval.gate.baseline import accept, read_baseline
from calm_eval.gate.snapshot import snapshot_of
from calm_eval.runs.run import load_run


def test_what_is_read_is_what_was_measured(make, tmp_path) -> None:
    run = make("one", wobble=0.1)
    accept(run, tmp_path / "b", "because")
    assert read_baseline(tmp_path / "b").snapshot == snapshot_of(run)
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == [
        "baseline.json",
        "history.jsonl",
        "samples.csv",
        "values.csv",
    ]


def test_the_values_of_a_row_are_those_of_the_run(make, tmp_path) -> None:
    run = make("one", wobble=0.1, broken=[3])
    accept(run, tmp_path / "b", "because")
    suite = read_baseline(tmp_path / "b").snapshot.suites["tones"]
    level = next(one for one in suite.metrics if one.spec.name == "demo_level")
    table = run.values()
    mine = table[(table["variant"] == "hum") & (table["metric"] == "demo_level")]
    found = suite.rows["hum"].measured[level.fingerprint].values
    assert {place: one.numerator for place, one in found.items() if one.refused is None} == {
        (row.item, row.seed): row.numerator for row in mine[mine["refused"].isna()].itertuples()
    }
    assert {place for place, one in found.items() if one.refused == "exception"} == {("item-3", 0), ("item-3", 1)}
    assert suite.rows["hum"].sounds["item-3", 1].failure == "exception"


def test_history_keeps_a_line_for_every_acceptance(make, tmp_path) -> None:
    for place, why in enumerate(("the first", "louder")):
        accept(make(f"run{place}", level=0.1 * (place + 1), version=place + 1), tmp_path / "b", why)
    lines = [json.loads(line) for line in (tmp_path / "b" / "history.jsonl").read_text().splitlines()]
    assert [line["why"] for line in lines] == ["the first", "louder"]
    first, second = (
        next(one["value"] for one in line["values"] if (one["row"], one["metric"]) == ("hum", "demo_level"))
        for line in lines
    )
    assert second == pytest.approx(2 * first, rel=1e-3)


def test_one_row_with_its_sounds(make, tmp_path, capsys) -> None:
    run = make("one")
    words = ["--to", str(tmp_path / "b"), "--why", "x", "--rows", "hum", "--audio"]
    assert main(["baseline", "accept", str(run.folder), *words]) == 0
    assert capsys.readouterr().out.startswith(f"Written: {tmp_path / 'b'} (1 rows, ")
    baseline = read_baseline(tmp_path / "b")
    (row,) = baseline.snapshot.suites["tones"].rows.values()
    assert {baseline.audio_path(one.audio).is_file() for one in row.sounds.values()} == {True}
    assert len(list((tmp_path / "b" / "audio").rglob("*.flac"))) == len({one.audio for one in row.sounds.values()})


def test_what_is_refused(make, tmp_path) -> None:
    run = make("one", limit=2)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="holds something that is no baseline"):
        accept(run, tmp_path / "other", "x")
    with pytest.raises(InputError, match="--why must say why"):
        accept(run, tmp_path / "b", " ")
    with pytest.raises(InputError, match="no row 'bass' in the run; rows: hum, reference"):
        accept(run, tmp_path / "b", "x", rows=["bass"])
    with pytest.raises(InputError, match=r"no baseline there \(baseline.json is missing\); accept one"):
        read_baseline(tmp_path / "b")


def test_a_damaged_one_is_named(make, tmp_path) -> None:
    accept(make("one", limit=2), tmp_path / "b", "x")
    path = tmp_path / "b" / "values.csv"
    path.write_text(path.read_text().replace("numerator", "top"))
    with pytest.raises(InputError, match="cannot be read"):
        read_baseline(tmp_path / "b")
    told = json.loads((tmp_path / "b" / "baseline.json").read_text())
    (tmp_path / "b" / "baseline.json").write_text(json.dumps({**told, "version": 9}))
    with pytest.raises(InputError, match="version 9; this calm-eval reads 1"):
        read_baseline(tmp_path / "b")


def test_a_run_that_was_not_scored_is_no_baseline(make, tmp_path) -> None:
    from calm_eval.runs.evaluate import evaluate
    from calm_eval.runs.order import stored_order

    run = make("one", limit=2)
    evaluate(stored_order(run.folder), tmp_path / "raw", stages=("generate",), quiet=True)
    baseline = accept(run, tmp_path / "b", "x")
    assert baseline.snapshot.suites["tones"].rows["hum"].planned == 4
    assert load_run(tmp_path / "raw").samples()["failure"].isna().all()
