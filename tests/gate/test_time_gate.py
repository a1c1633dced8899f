"""A gate on time: ratios made by hand, and what the command does with them."""

from __future__ import annotations

import json

import pytest
import yaml

from calm_eval.cli import main
from calm_eval.gate.latency_line import latency_lines, ruled
from calm_eval.latency.generation import Generation, PartSpan
from calm_eval.latency.measured import Measured, Measurement
from calm_eval.latency.rows import Row
from calm_eval.specs.policy import LatencyGateSpec
from calm_eval.stats.processes import ratio_of_medians

STEPS, RATE = 20, 12.5


def measured(name, milliseconds, mode="eager"):
    """A row of one generation a process, whose steps take these milliseconds."""
    made = []
    for process, each in enumerate(milliseconds):
        step = round(1e6 * each)
        spans = tuple(PartSpan("step", place, place * step, step) for place in range(STEPS))
        arrivals = tuple((place + 1) * step for place in range(STEPS))
        made.append(Generation(STEPS * step, arrivals, spans, seconds=STEPS / RATE, cold=False, process=process))
    return Measured(Row(name, name, {}, STEPS / RATE, frame_rate=RATE, mode=mode), counted=made)


def measurement(*rows):
    return Measurement({"title": "hand-made"}, list(rows))


OLD = measured("old", [10.0, 11.0, 10.0, 12.0, 10.0])
SAME = measured("new", [10.1, 11.0, 9.9, 12.0, 10.1])
SLOW = measured("new", [13.0, 14.4, 13.0, 15.5, 13.1])


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ((1.0, 0.95, 1.05), "PASS"),
        ((0.5, 0.4, 1.0999), "PASS"),
        ((1.0, 0.9, 1.1), "INCONCLUSIVE"),
        ((1.2, 1.01, 1.4), "FAIL"),
        ((1.2, 0.99, 1.4), "INCONCLUSIVE"),
        ((1.05, 1.01, 1.2), "INCONCLUSIVE"),
    ],
)
def test_a_margin_of_a_tenth(found, verdict) -> None:
    assert ruled(*found, margin=1.1)[0] == verdict


@pytest.mark.parametrize("quantity", ["step", "end_to_end"])
def test_the_ratio_is_the_candidates_time_over_the_others(quantity) -> None:
    gate = LatencyGateSpec(row="new", against="old", quantity=quantity, margin=1.1)
    (slow,) = latency_lines([gate], measurement(SLOW, OLD))
    # Constant steps: the median of a process is its step.
    value, interval = ratio_of_medians(
        [[13.0], [14.4], [13.0], [15.5], [13.1]], [[10.0], [11.0], [10.0], [12.0], [10.0]]
    )
    assert (slow.ratio, slow.low, slow.high) == pytest.approx((value, *interval), rel=1e-6)
    assert slow.verdict == "FAIL"
    assert latency_lines([gate], measurement(SAME, OLD))[0].verdict == "PASS"


def test_what_is_missing_never_passes() -> None:
    def told(gate, *rows):
        return latency_lines([gate], measurement(*rows))[0]

    step = LatencyGateSpec(row="new", against="old", quantity="step", margin=1.1)
    assert (told(step, OLD).verdict, told(step, OLD).why) == (
        "FAIL",
        "coverage: new: not in the measurement, which has old",
    )
    broken = Measured(SAME.row, counted=[], failure=("exception", "no memory"))
    assert told(step, broken, OLD).why == "coverage: new: no memory"
    head = LatencyGateSpec(row="new", against="old", quantity="head", margin=1.1)
    assert told(head, SAME, OLD).why == "coverage: the two rows have no head to compare"
    once = told(step, measured("new", [10.0]), measured("old", [10.0]))
    assert (once.verdict, once.ratio) == ("INCONCLUSIVE", pytest.approx(1.0))


@pytest.fixture
def timed(policy, tmp_path):
    """A policy that gates a time too, and what gates a candidate with these rows measured."""
    path = policy()
    told = yaml.safe_load(path.read_text())
    told["latency"] = [{"row": "new", "against": "old", "quantity": "step", "margin": 1.1}]
    path.write_text(yaml.safe_dump(told))

    def gate(run, *rows):
        words = ["gate", str(run.folder), "--baseline", str(tmp_path / "baseline"), "--policy", str(path)]
        if rows:
            (tmp_path / "timed").mkdir(exist_ok=True)
            measurement(*rows).write(tmp_path / "timed" / "latency.json")
            words += ["--latency", str(tmp_path / "timed")]
        return main([*words, "--out", str(tmp_path / "out")])

    return gate


def test_sounds_that_pass_fail_by_their_time(make, baseline, timed, tmp_path, capsys) -> None:
    run = make("after")
    assert timed(run, SAME, OLD) == 0
    assert timed(run, SLOW, OLD) == 1
    assert "| **FAIL** | new | old | step | 1.3 (" in capsys.readouterr().out
    told = json.loads((tmp_path / "out" / "gate.json").read_text())
    assert (told["version"], told["verdict"]) == (2, "FAIL")
    assert [line["verdict"] for line in told["gates"]] == ["PASS", "PASS"]
    assert [line["verdict"] for line in told["latency"]] == ["FAIL"]
    text = (tmp_path / "out" / "gate.xml").read_text()
    assert 'tests="3" failures="1" errors="0"' in text


def test_a_time_gate_without_a_measurement_is_refused(make, baseline, timed, tmp_path, capsys) -> None:
    run = make("after")
    assert timed(run) == 2
    assert "gates times: measure both systems in this job" in capsys.readouterr().err
    words = ["gate", str(run.folder), "--baseline", str(tmp_path / "baseline"), "--latency", str(tmp_path)]
    assert main(words) == 2
    assert "has no time gate" in capsys.readouterr().err
