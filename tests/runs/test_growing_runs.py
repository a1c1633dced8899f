"""A run that grows makes only what is new, and the plan says beforehand how much that is."""

from __future__ import annotations

import re

import pytest
import yaml

from calm_eval import evaluate
from calm_eval.runs.dry_run import dry_run
from calm_eval.runs.order import Order, Wishes
from calm_eval.systems.engine import Conditions


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CALM_EVAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def grow(tmp_path):
    """Ask what a call would do, then do it; returns (samples, passes) as foretold and as done, and the run."""

    def call(suite, out="run", sweep=None, reuse=(), **wishes):
        folder = tmp_path / out
        wished = Wishes(sweep=sweep or {}, **wishes)
        order = Order((str(suite),), wished, Conditions(threads=1), reuse=tuple(map(str, reuse)))
        text = dry_run(order, folder)
        foretold = [int(re.search(rf"{what}: (?:at most )?(\d+)", text)[1]) for what in ("to make", "to do")]
        run = evaluate(str(suite), out=folder, sweep=sweep, reuse=reuse, threads=1, **wishes)
        last = run.invocations().iloc[-1]
        return tuple(foretold), (int(last["generated"]), int(last["judged"])), run

    return call


def add_metrics(suite, *names):
    spec = yaml.safe_load(suite.read_text())
    suite.write_text(yaml.safe_dump({**spec, "metrics": [*spec["metrics"], *names]}))


def test_a_temperature_and_a_metric_cost_only_themselves(tone_suite, grow):
    suite = tone_suite(3, sweep={"frequency": [300]})
    # Two settings of the sine and the reference, three items.
    foretold, done, first = grow(suite)
    assert foretold == done == (9, 9)
    columns = ["variant", "item", "audio", "generate_seconds", "made_at"]
    made = first.samples()[columns]
    spec = yaml.safe_load(suite.read_text())
    suite.write_text(yaml.safe_dump({**spec, "sweep": {"frequency": [300, 600]}}))
    foretold, done, second = grow(suite)
    assert foretold == done == (3, 3)
    assert len(second.samples()[columns].merge(made)) == 9
    # Another metric of the same judge needs no pass; one of another judge hears the twelve sounds that there are.
    add_metrics(suite, "demo_power")
    foretold, done, _ = grow(suite)
    assert foretold == done == (0, 0)
    add_metrics(suite, "silence_share")
    foretold, done, run = grow(suite)
    assert foretold == done == (0, 12)
    assert set(run.summary().query("metric == 'silence_share'")["n_scored"]) == {3}
    assert grow(suite)[0] == (0, 0)


def test_sounds_that_will_be_the_same_are_one_pass(tone_suite, grow, write_system):
    silence = write_system("unused", "").parent / "silence.yaml"
    silence.write_text(yaml.safe_dump({"name": "quiet", "control": "silence"}))
    suite = tone_suite(3, systems=["demo-sine", "reference", "shuffled-texts", str(silence)])
    # The sine hears no seed, which nobody can know beforehand: 3 sounds where 6 are counted. The references are 3
    # sounds however often they are played, and silence is not told how long it lasts: one for each item, all alike.
    foretold, done, _ = grow(suite, seeds=2)
    assert foretold == (24, 6 + 3 + 3)
    assert done == (24, 3 + 3 + 1)


def test_samples_of_other_runs_are_not_counted_as_work(tmp_path, tone_suite, grow):
    suite = tone_suite(3)
    grow(suite, "one", limit=2)
    foretold, done, _ = grow(suite, "two", reuse=[tmp_path / "one"])
    assert foretold == done == (2, 6)


def test_a_system_that_cannot_start_is_no_work(tone_suite, grow, write_system):
    broken = write_system("broken", "import a_module_that_is_not_there\n")
    foretold, done, _ = grow(tone_suite(2), systems=["demo-sine", str(broken)])
    assert foretold == done == (2, 2)


def test_the_second_run_knows_the_speeds_of_the_first(tmp_path, tone_suite, grow):
    suite = tone_suite(3)
    wished = Order((str(suite),), Wishes(), Conditions(threads=1))
    before = dry_run(wished, tmp_path / "other")
    assert "no past speed on this machine for 2 of 2 rows and 1 of 1 judge" in before
    grow(suite)
    assert re.search(r"^time: about \d+ s$", dry_run(wished, tmp_path / "other"), re.MULTILINE)
    elsewhere = Order((str(suite),), Wishes(), Conditions(threads=2))
    assert "no past speed on this machine" in dry_run(elsewhere, tmp_path / "other")


def test_the_log_has_the_plan_and_the_forecast(tmp_path, tone_suite, grow):
    suite = tone_suite(8)
    grow(suite)
    grow(suite, "again")
    log = (tmp_path / "again" / "logs" / "run.log").read_text()
    assert "samples to make: 16 in 2 rows" in log
    assert "judge passes to do: at most 16 by 1 judge" in log
    assert len(re.findall(r"forecast after a tenth: \d+ s in all", log)) == 1
    assert re.search(r"took \d+ s in all; the forecast after a tenth was \d+ s", log)


def test_a_damaged_file_of_speeds_does_not_stop_a_run(tmp_path, tone_suite, grow, cache):
    suite = tone_suite(2)
    grow(suite)
    (file,) = (cache / "speeds").glob("*.json")
    file.write_text("no json")
    _, done, _ = grow(suite, "again")
    assert done == (4, 4)
    assert file.with_suffix(".damaged").read_text() == "no json"
