"""Real runs against a real baseline: what passes, what fails and why, and what is refused."""

from __future__ import annotations

import json
import os
from xml.etree import ElementTree

import pytest

from calm_eval.cli import main


def gate(run, baseline, *words):
    return main(["gate", str(run.folder), "--baseline", str(baseline), *map(str, words)])


def told(tmp_path):
    return json.loads((tmp_path / "out" / "gate.json").read_text())


def test_the_same_sounds_pass(make, baseline, tmp_path, capsys) -> None:
    assert gate(make("after"), baseline, "--out", tmp_path / "out") == 0
    page = capsys.readouterr().out
    assert page.startswith("## PASS: tones\n")
    assert "Every sound is the baseline's to the bit" in page
    first, second = told(tmp_path)["gates"]
    assert (first["verdict"], first["loss"], first["n_items"], first["sounds_alike"]) == ("PASS", 0, 12, 24)
    assert (second["primary"], second["metric"]) == (False, "demo_pair")


def test_half_the_level_fails_by_half_the_level(make, baseline, tmp_path, capsys) -> None:
    """Level is better when higher: half of it is a loss of the other half, in each of twelve items."""
    assert gate(make("after", level=0.05, version=2), baseline, "--out", tmp_path / "out") == 1
    (first, _) = told(tmp_path)["gates"]
    assert first["cause"] == "model or environment"
    assert first["loss"] == pytest.approx(first["before"] / 2, rel=1e-3)
    assert first["p"] == pytest.approx(1 / 2**12)
    page = capsys.readouterr().out
    assert page.startswith("## FAIL: tones\n")
    assert "| system | hum | " in page


def test_a_louder_one_passes(make, baseline) -> None:
    assert gate(make("after", level=0.2, version=2), baseline) == 0


def test_a_noisy_one_is_inconclusive_and_says_what_would_decide(make, baseline, tmp_path) -> None:
    """Half a level of wobble around the same mean: no loss is shown, and none of the margin is ruled out."""
    assert gate(make("after", wobble=0.6, version=2), baseline, "--out", tmp_path / "out") == 3
    (first, _) = told(tmp_path)["gates"]
    assert first["verdict"] == "INCONCLUSIVE"
    assert first["items_needed"] > 12


def test_missing_items_fail_and_are_named(make, baseline, tmp_path) -> None:
    assert gate(make("after", limit=2), baseline, "--out", tmp_path / "out") == 1
    (first, _) = told(tmp_path)["gates"]
    assert first["cause"] == "coverage"
    assert first["gaps"][0] == {
        "name": "items-missing",
        "why": "10 of 12 items are missing: item-10, item-11, item-2, item-3, item-4 and 5 more",
    }


def test_new_failures_and_fewer_seeds_fail(make, baseline, tmp_path) -> None:
    assert gate(make("after", broken=[4, 5], version=2), baseline, "--out", tmp_path / "out") == 1
    names = [gap["name"] for gap in told(tmp_path)["gates"][0]["gaps"]]
    assert names == ["new-failures", "new-refusals"]
    assert gate(make("fewer", seeds=1), baseline, "--out", tmp_path / "out") == 1
    assert told(tmp_path)["gates"][0]["gaps"][0]["name"] == "seeds-missing"


def test_an_unfinished_run_fails(make, baseline, tmp_path) -> None:
    """Two samples vanish from the store, as after a crash in the middle of a run."""
    import sqlite3

    run = make("after")
    with sqlite3.connect(run.folder / "run.sqlite") as connection:
        keys = connection.execute("SELECT sample FROM planned WHERE variant = 'hum' LIMIT 2").fetchall()
        connection.executemany("DELETE FROM samples WHERE key = ?", keys)
    assert gate(run, baseline, "--out", tmp_path / "out") == 1
    assert {"name": "unfinished", "why": "2 of 24 samples are not made"} in told(tmp_path)["gates"][0]["gaps"]


def test_a_limit_is_a_limit_whatever_the_baseline(make, baseline, policy, tmp_path) -> None:
    assert gate(make("after"), baseline, "--policy", policy(limit=0.2), "--out", tmp_path / "out") == 1
    (first, _) = told(tmp_path)["gates"]
    assert (first["cause"], first["why"]) == ("limit", "worse than the limit of 0.2 RMS")


def test_a_metric_of_the_whole_set_only_reports(make, baseline, policy, capsys) -> None:
    run = make("after")
    assert gate(run, baseline, "--policy", policy(metric="demo_gap")) == 2
    assert "no test of two rows by demo_gap is known; it can report: primary: false" in capsys.readouterr().err
    assert gate(run, baseline, "--policy", policy(metric="rtf", unit="s/s")) == 2
    assert "rtf is a time" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"suite": "chords"}, "no suite 'chords' in the baseline; suites: tones"),
        ({"row": "bass"}, "no row 'bass' in the baseline; rows: hum, reference"),
        ({"metric": "wer"}, "no metric 'wer' in the baseline; metrics: demo_level, demo_pair, demo_gap, rtf"),
        ({"unit": "%"}, "the margin is in '%', and demo_level is in 'RMS'"),
        ({"margin": -0.1}, "greater than 0"),
        ({"primary": False}, "no gate is primary: such a policy could never fail"),
    ],
)
def test_a_policy_that_does_not_fit_exits_2(make, baseline, policy, capsys, changes, said) -> None:
    assert gate(make("after"), baseline, "--policy", policy(**changes)) == 2
    assert said in capsys.readouterr().err


def test_what_cannot_be_compared_exits_2(make, baseline, tmp_path, capsys) -> None:
    run = make("after")
    assert main(["gate", str(tmp_path / "before"), "--baseline", str(baseline)]) == 2
    assert "the very run that the baseline was accepted from" in capsys.readouterr().err
    assert gate(run, tmp_path / "nowhere") == 2
    assert "no baseline there" in capsys.readouterr().err
    path = tmp_path / "suite" / "tones.yaml"
    path.write_text(path.read_text().replace("version: 1", "version: 2"))
    assert gate(make("newer"), baseline) == 2
    assert "accept a baseline of version 2" in capsys.readouterr().err
    (baseline / "policy.yaml").unlink()
    assert gate(run, baseline) == 2
    assert "the baseline keeps none; name one with --policy" in capsys.readouterr().err


def test_one_item_is_inconclusive(make, policy, tmp_path) -> None:
    make("before", limit=1)
    words = ["--to", str(tmp_path / "b"), "--why", "x", "--policy", str(policy())]
    assert main(["baseline", "accept", str(tmp_path / "before"), *words]) == 0
    assert gate(make("after", level=0.05, version=2, limit=1), tmp_path / "b", "--out", tmp_path / "out") == 3
    assert told(tmp_path)["gates"][0]["why"] == "one item bears no bound"


def test_junit_says_failure_and_error(make, baseline, tmp_path) -> None:
    gate(make("after", level=0.05, version=2), baseline, "--out", tmp_path / "out")
    suite = ElementTree.parse(tmp_path / "out" / "gate.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    failed, reported = suite.findall("testcase")
    assert failed.find("failure").get("type") == "model or environment"
    assert reported.find("system-out").text.startswith("FAIL: loss ")
    gate(make("noisy", wobble=0.6, version=3), baseline, "--out", tmp_path / "out")
    assert ElementTree.parse(tmp_path / "out" / "gate.xml").getroot().get("errors") == "1"


def test_github_sees_annotations_and_a_summary(make, baseline, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert gate(make("after", level=0.05, version=2), baseline) == 1
    out = capsys.readouterr().out
    assert "::error title=FAIL tones%3A hum%2C demo_level::model or environment: the loss is at least the margin" in out
    assert (tmp_path / "summary.md").read_text().startswith("## FAIL: tones\n")
    gate(make("same"), baseline)
    assert "::notice title=calm-eval gate::PASS, 1 gates" in capsys.readouterr().out


def test_plan_says_what_the_margins_need(make, policy, tmp_path, capsys) -> None:
    make("before", wobble=0.2)
    words = ["--to", str(tmp_path / "b"), "--why", "x", "--policy", str(policy())]
    assert main(["baseline", "accept", str(tmp_path / "before"), *words]) == 0
    capsys.readouterr()
    assert main(["gate", "plan", "--baseline", str(tmp_path / "b")]) == 0
    page = capsys.readouterr().out
    assert "| tones | hum | Level (RMS) | 0.01 | 12 × 2 | " in page
    assert os.linesep not in page.splitlines()[0]
