"""Model or environment: items made anew by the baseline's system tell which."""

from __future__ import annotations

import json

import pytest

from calm_eval.cli import main


@pytest.fixture
def gate(baseline, tmp_path):
    """The exit code and the first line of a gate with `--regenerate 3`."""

    def call(run, *words):
        paths = ["--baseline", str(baseline), "--out", str(tmp_path / "out")]
        code = main(["gate", str(run.folder), *paths, "--regenerate", "3", *words])
        return code, json.loads((tmp_path / "out" / "gate.json").read_text())["gates"][0] if code < 2 else {}

    return call


def test_other_weights_are_the_model(make, gate, tmp_path) -> None:
    """The baseline's own system still makes its sounds, three items with two seeds each."""
    run = make("after", level=0.05, version=2)
    code, line = gate(run, "--with", str(tmp_path / "system_mbefore" / "mbefore.yaml"))
    assert (code, line["cause"]) == (1, "model")
    assert "6 of 6 sounds made anew with the baseline's weights are the baseline's to the bit" in line["why"]


def test_the_same_weights_with_other_sounds_are_the_environment(make, gate, monkeypatch) -> None:
    monkeypatch.setenv("HUM", "0.5")
    code, line = gate(make("after", system="before"))
    assert (code, line["cause"]) == (1, "environment")
    assert "0 of 6 sounds" in line["why"]


def test_both_may_have_changed(make, gate, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("HUM", "0.5")
    run = make("after", level=0.09, version=2)
    code, line = gate(run, "--with", str(tmp_path / "system_mbefore" / "mbefore.yaml"))
    assert (code, line["cause"]) == (1, "model and environment")


def test_a_system_that_is_not_the_baselines_is_refused(make, gate, capsys) -> None:
    assert gate(make("after", level=0.05, version=2))[0] == 2
    assert "is not the system of the baseline's row 'hum' (another fingerprint)" in capsys.readouterr().err


def test_words_that_do_not_fit(make, baseline, capsys) -> None:
    run = make("after")
    words = ["gate", str(run.folder), "--baseline", str(baseline)]
    assert main([*words, "--regenerate", "0"]) == 2
    assert "at least one item" in capsys.readouterr().err
    assert main([*words, "--with", "x.yaml"]) == 2
    assert "--with names the system for --regenerate N" in capsys.readouterr().err
