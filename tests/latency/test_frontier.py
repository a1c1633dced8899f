"""Quality beside time: a scored run of the very rows that are timed."""

from __future__ import annotations

from pathlib import Path

import pytest

from calm_eval.api import evaluate
from calm_eval.cli import main
from calm_eval.errors import InputError
from calm_eval.reports.latency.frontier import bought

TOYS = Path(__file__).parent / "timed_toys.py"


@pytest.fixture
def scored(tmp_path, monkeypatch):
    """A run of one toy with two samplings, by a metric that needs no judge's weights."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "timed_toys.py").write_bytes(TOYS.read_bytes())
    (tmp_path / "toy.yaml").write_text(
        "name: toy\npython: timed_toys:Toy\noptions: {head: 2.0, unscored: ''}\nvariants:\n  - {}\n  - {steps: 4}\n"
    )
    (tmp_path / "items.jsonl").write_text('{"id": "a", "text": "one"}\n{"id": "b", "text": "two"}\n')
    (tmp_path / "short.yaml").write_text(
        "name: short\nversion: 1\ntask: tts\ntitle: Short\nitems: {manifest: items.jsonl}\n"
        "metrics: [rms_dbfs, rtf, step_time, head_share]\nsystems: [toy.yaml]\n"
    )
    return evaluate(["short.yaml"], out=tmp_path / "run")


def test_the_runs_rows_stand_beside_what_their_steps_cost(scored, tmp_path, capsys):
    summary = scored.summary().set_index(["variant", "metric"])
    level = summary.loc[("toy", "rms_dbfs"), "value"]
    # Parts that the samples themselves marked: a head of 2 ms and one of 8 beside a backbone of 1.
    shares = [summary.loc[(name, "head_share"), "value"] for name in ("toy", "toy steps=4")]
    assert 0.5 < shares[0] < shares[1] < 1
    assert summary.loc[("toy", "step_time"), "value"] >= 0.003
    words = ["latency", "toy.yaml", "toy.yaml:steps=4", "--task", "tts", "--generations", "2", "--quality", "run"]
    assert main([*words, "--out", "told"]) == 0
    report = capsys.readouterr().out
    told = report[report.index("## Quality for time") :]
    iso = next(line for line in told.splitlines() if line.startswith("| toy | "))
    assert iso.count("(default)") + iso.count("(steps=4)") == 2
    assert f"{level:.3g}" in iso
    figure = tmp_path / "told" / "figures" / "frontier-short-rms_dbfs.png"
    assert figure.stat().st_size > 5000
    assert not list(figure.parent.glob("*rtf*"))


def test_a_run_without_the_measured_rows_is_refused(scored):
    with pytest.raises(InputError, match="it has: toy, toy steps=4"):
        bought(scored.folder, [])
