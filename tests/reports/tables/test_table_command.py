"""`calm-eval table` and `calm_eval.table` over real runs."""

from __future__ import annotations

import csv

import pytest

import calm_eval
from calm_eval.cli import main


@pytest.fixture
def run(tmp_path, tone_suite):
    suite = tone_suite(4, metrics=["log_mel_distance", "rtf"], title="Tones | $x$", systems=["reference", "silence"])
    return calm_eval.evaluate(str(suite), out=tmp_path / "run")


def test_the_same_numbers_in_every_format(run, capsys, tmp_path) -> None:
    frame = calm_eval.table(run)
    summary = run.summary()
    for _, record in frame[frame["value"].notna()].iterrows():
        same = summary[(summary["variant"] == record["row"]) & (summary["fingerprint"] == record["key"])]
        assert record["value"] == pytest.approx(same["value"].iloc[0])
    assert main(["table", str(run.folder), "--format", "csv", "--out", str(tmp_path / "t.csv")]) == 0
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        records = list(csv.DictReader(file))
    assert [one["row"] for one in records] == list(frame["row"])
    capsys.readouterr()
    assert main(["table", str(run.folder)]) == 0
    assert r"## Tones \| \$x\$" in capsys.readouterr().out
    assert main(["table", str(run.folder), "--format", "latex"]) == 0
    assert r"\caption{Tones \textbar{} \$x\$: 4 items, 1 seed." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--suite", "other"], "no suite 'other'"),
        (["--layout", "sweep"], "nothing in"),
        (["--layout", "nowhere.yaml"], "neither one of"),
        (["--out", "no/such/folder/t.md"], "--out no/such/folder/t.md: No such file or directory"),
    ],
)
def test_wrong_words_exit_2(run, capsys, words, said) -> None:
    assert main(["table", str(run.folder), *words]) == 2
    assert said in capsys.readouterr().err


def test_a_folder_that_is_no_run(tmp_path, capsys) -> None:
    assert main(["table", str(tmp_path)]) == 2
    assert "no run here" in capsys.readouterr().err
