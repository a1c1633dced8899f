"""Looks with more seeds: what each may spend, and that no other number of seeds is a look."""

from __future__ import annotations

import json

import pytest
import yaml

from calm_eval.cli import main
from calm_eval.stats.spending import spent_at_looks


@pytest.fixture
def gate(make, policy, tmp_path):
    """A gate by a policy of looks at 1, 2 and 4 seeds; returns the exit code and the first line."""
    path = policy()
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "looks": [1, 2, 4]}))
    make("before", seeds=4)
    words = ["--to", str(tmp_path / "b"), "--why", "x", "--policy", str(path)]
    assert main(["baseline", "accept", str(tmp_path / "before"), *words]) == 0

    def call(run):
        code = main(["gate", str(run.folder), "--baseline", str(tmp_path / "b"), "--out", str(tmp_path / "out")])
        return code, json.loads((tmp_path / "out" / "gate.json").read_text())["gates"][0] if code != 2 else {}

    return call


def test_a_look_spends_its_part_and_names_the_next(make, gate, capsys) -> None:
    code, line = gate(make("after", wobble=0.6, version=2, seeds=1))
    assert (code, line["look"], line["looks"]) == (3, 1, 3)
    assert line["alpha"] == pytest.approx(spent_at_looks(0.05, [1, 2, 4])[0])
    page = capsys.readouterr().out
    assert "the next look is at 2 seeds" in page
    assert "Look 1 of 3, at 1 seed: of alpha it may spend 8.9e-05." in page


def test_the_same_run_grows_from_look_to_look(make, gate) -> None:
    for number, seeds in enumerate((1, 2, 4), start=1):
        run = make("after", wobble=0.6, version=2, seeds=seeds)
        code, line = gate(run)
        assert (code, line["look"]) == (3, number)
        # Running a look again says the same.
        assert gate(run) == (code, line)


def test_three_seeds_were_not_planned(make, gate, capsys) -> None:
    assert gate(make("after", seeds=3))[0] == 2
    assert "the candidate has 3 seeds and the policy looks at 1, 2, 4" in capsys.readouterr().err


def test_a_baseline_with_fewer_seeds_than_the_last_look(make, policy, baseline, tmp_path, capsys) -> None:
    path = policy()
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "looks": [1, 4]}))
    words = ["gate", str(make("after").folder), "--baseline", str(baseline), "--policy", str(path)]
    assert main(words) == 2
    assert "looks at up to 4 seeds and the baseline has 2; accept one with --seeds 4" in capsys.readouterr().err


def test_looks_that_do_not_ascend(policy, capsys) -> None:
    path = policy()
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "looks": [2, 2]}))
    assert main(["validate", str(path)]) == 2
    assert "looks must ascend" in capsys.readouterr().err
