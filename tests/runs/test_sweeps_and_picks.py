"""Sweeps of a suite, and the best row of each system picked on items of its own."""

from __future__ import annotations

import json

import pytest

from calm_eval import evaluate
from calm_eval.errors import InputError
from calm_eval.runs.sweep import grid, star
from calm_eval.systems.protocol import Parameter

DECLARED = {"steps": Parameter(1, 1, 8), "temperature": Parameter(0.8, 0.0, 2.0)}
SWEEP = {"steps": [1, 2, 16], "temperature": [0.6, 1.0], "depth": [4]}


def test_a_star_moves_one_parameter_at_a_time_within_what_the_system_takes():
    assert star({"temperature": 0.7}, SWEEP, DECLARED) == [
        {"temperature": 0.7},
        {"temperature": 0.7, "steps": 1},
        {"temperature": 0.7, "steps": 2},
        {"temperature": 0.6},
        {"temperature": 1.0},
    ]


def test_a_grid_has_every_combination():
    rows = grid({"steps": 4}, {"steps": [1, 2], "temperature": [0.6, 1.0], "depth": [4]}, DECLARED)
    assert [(row["steps"], row["temperature"]) for row in rows] == [(1, 0.6), (1, 1.0), (2, 0.6), (2, 1.0)]
    assert grid({"steps": 4}, {"depth": [4]}, DECLARED) == [{"steps": 4}]


LOUD = """
from array import array
from calm_eval.systems.protocol import Chunk, Done, Parameter, SystemInfo

class Loud:
    info = SystemInfo(("tts",), "other", 16000, sampling={"level": Parameter(0.5, 0.0, 1.0)}, version=1)
    def load(self, device, dtype, threads): pass
    def head_evaluations_per_second(self, sampling): return None
    def generate(self, requests, sampling):
        for one in requests:
            level = sampling["level"] * (0.5 + 0.01 * len(one.text))
            yield Chunk(one.item, one.seed, array("f", [level, -level] * 1600), 16000)
            yield Done(one.item, one.seed)

create = Loud
"""


@pytest.fixture
def levels(tone_suite, write_system):
    """A suite that sweeps the level of a system: louder is better by the demo's metric."""

    def make(tuned=(0, 3), n=6, **changes):
        loud = str(write_system("loud", LOUD))
        named = [{**one, "name": loud} if isinstance(one, dict) else one for one in changes.pop("systems", [loud])]
        sweep = changes.pop("sweep", {"level": [0.1, 0.5, 0.9]})
        suite = tone_suite(n, systems=[*named, "reference"], sweep=sweep, **changes)
        manifest = suite.parent / "items.jsonl"
        rows = [json.loads(line) for line in manifest.read_text().splitlines()]
        for place in tuned:
            rows[place]["tags"] = ["tuning"]
        manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return suite

    return make


def test_the_suites_sweep_makes_the_rows_and_the_command_line_takes_its_place(tmp_path, levels):
    suite = levels()
    run = evaluate(str(suite), out=tmp_path / "star")
    assert list(run.summary()["variant"].unique()) == [
        "loud", "loud level=0.1", "loud level=0.9", "reference",
    ]  # fmt: skip
    swept = evaluate(str(suite), out=tmp_path / "grid", sweep={"level": [0.2]})
    assert list(swept.summary()["variant"].unique()) == ["loud level=0.2", "reference"]
    alone = levels(systems=[{"sweep": {}}])
    assert list(evaluate(str(alone), out=tmp_path / "alone").summary()["variant"].unique()) == ["loud", "reference"]


def test_what_is_told_leaves_the_tuning_items_out(tmp_path, levels):
    run = evaluate(str(levels(pick="demo_level")), out=tmp_path / "run")
    told = run.summary().set_index(["variant", "metric"])
    values = run.values()
    mine = values[(values["variant"] == "loud level=0.1") & (values["metric"] == "demo_level")]
    tuning = mine["item"].isin(["item-0", "item-3"])
    assert len(mine) == 6
    cell = told.loc[("loud level=0.1", "demo_level")]
    assert cell["value"] == pytest.approx(mine.loc[~tuning, "value"].mean())
    assert (cell["n_scored"], cell["n_expected"]) == (4, 4)
    (pick,) = run.picks()
    assert (pick.variant.name, pick.among, pick.n_items) == ("loud level=0.9", 3, 2)
    best = values[(values["variant"] == "loud level=0.9") & (values["metric"] == "demo_level")]
    assert pick.value == pytest.approx(best.loc[best["item"].isin(["item-0", "item-3"]), "value"].mean())
    report = (tmp_path / "run" / "report.md").read_text()
    assert "4 of 6 items, and 2 that only choose samplings" in report
    assert "### Each system at its best" in report


def test_without_tuning_items_nothing_is_picked(tmp_path, levels):
    run = evaluate(str(levels(tuned=(), pick="demo_level")), out=tmp_path / "run")
    assert run.picks() == []
    assert set(run.summary()["n_expected"]) == {6}
    assert "at its best" not in (tmp_path / "run" / "report.md").read_text()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sweep": {"level": []}}, "at least 1 item"),
        ({"sweep": {"loudness": [1]}}, "no system of this suite takes 'loudness'"),
        ({"sweep": {"level": [0.1, 7.5]}}, "no system of this suite takes 7.5 as 'level'"),
        ({"pick": "wer"}, "pick: 'wer' is no metric of this suite; allowed: demo_level, rtf"),
    ],
)
def test_bad_sweeps_are_named_before_anything_is_made(tmp_path, levels, changes, told):
    with pytest.raises(InputError, match=told):
        evaluate(str(levels(**changes)), out=tmp_path / "run")
