"""Real children, timed: order, planted faults, hooked modules, batches, and rows that fail beside rows that do not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from calm_eval.cli import main
from calm_eval.errors import InputError
from calm_eval.latency.desks import Bench
from calm_eval.latency.measure import measure
from calm_eval.latency.measured import read_measurement
from calm_eval.latency.order import rows_of_call
from calm_eval.latency.rounds import rounds
from calm_eval.latency.rows import RowWish
from calm_eval.latency.steps import steps_of
from calm_eval.latency.summary import summarise
from calm_eval.latency.tier import CPU, FULL, Tier
from calm_eval.runs.watch import Progress
from calm_eval.systems.engine import Conditions

TOYS = Path(__file__).parent / "timed_toys.py"
SHORT = Tier("test", 1, 2, 1, 0.4, (0.5, 0.9))


@pytest.fixture
def toy(tmp_path):
    (tmp_path / "timed_toys.py").write_bytes(TOYS.read_bytes())

    def make(name, factory="Toy", spans=(), **options):
        file = tmp_path / f"{name}.yaml"
        lines = [f"name: {name}", f"python: timed_toys:{factory}"]
        lines += [f"options: {json.dumps(options)}"] if options else []
        lines += [f"spans: {json.dumps(dict(spans))}"] if spans else []
        file.write_text("\n".join(lines) + "\n")
        return str(file)

    return make


@pytest.fixture
def measured(tmp_path):
    def run(*names, tier=SHORT, **kwargs):
        bench = Bench(tier, Conditions(), tmp_path / "out", task="music_continuation", **kwargs)
        wishes = [one if isinstance(one, RowWish) else RowWish(one) for one in names]
        return measure(wishes, bench, Progress(tmp_path / "out" / "log", quiet=True))[1]

    return run


def test_systems_take_turns_forwards_and_backwards():
    assert list(rounds("AB", 3)) == [(0, "A"), (0, "B"), (1, "B"), (1, "A"), (2, "A"), (2, "B")]


def test_tiers_are_those_of_the_protocol():
    assert (FULL.discarded, FULL.counted, FULL.seconds) == (1, 10, 30.0)
    assert (CPU.discarded, CPU.counted, CPU.seconds) == (1, 3, 10.0)
    assert 0.99 in FULL.percentiles
    assert 0.99 not in CPU.percentiles
    assert [CPU.seconds_for(steps) for steps in (None, 1, 16, 100)] == [10.0, 10.0, 10.0, 2.0]
    assert (FULL.blocks, CPU.blocks) == ([2, 2, 2, 2, 2], [1, 1, 1])
    assert (CPU.with_(4, None).blocks, CPU.with_(2, None).blocks) == ([2, 1, 1], [1, 1])
    assert CPU.with_(None, None) == CPU
    assert CPU.with_(5, None).name == "cpu, changed"


def test_a_generation_is_told_whole_and_the_first_is_discarded(toy, measured):
    (one,) = measured(toy("plain", backbone=9.0, head=3.0))
    assert one.failure is None
    assert (len(one.discarded), len(one.counted)) == (1, 2)
    assert one.discarded[0].cold
    assert not one.counted[0].cold
    found = summarise(one)
    assert [len(walls) for walls in found.walls] == [19, 19]
    assert found.faults == {}
    assert 0.55 < found.parts["backbone"].share < 0.9
    assert found.step.value >= 12e6
    assert one.row.weight_bytes == {"backbone": 1e6, "head": 5e5}
    assert one.row.head_rate == 50.0


def test_each_process_is_a_new_one_and_discards_its_first(toy, measured):
    (one,) = measured(toy("plain"), tier=Tier("test", 1, 3, 2, 0.2, (0.5,)))
    assert [(made.process, made.cold) for made in one.discarded] == [(0, True), (1, True)]
    assert [(made.process, made.cold) for made in one.counted] == [(0, False), (0, False), (1, False)]
    assert [len(group) for group in summarise(one).groups] == [18, 9]


def test_a_sampling_is_a_row_of_its_own_and_shares_the_child(toy, measured):
    name = toy("plain", backbone=1.0, head=8.0)
    one, four = measured(RowWish(name), RowWish(name, {"steps": 4}))
    assert (one.failure, four.failure) == (None, None)
    assert (one.row.name, four.row.name) == ("plain", "plain steps=4")
    assert one.discarded[0].cold
    assert not four.discarded[0].cold
    heads = [np.mean(steps_of(row.counted[0]).steady_part("head")) for row in (one, four)]
    assert heads[1] > 2 * heads[0]


def test_a_slow_head_at_every_tenth_step_shows_in_the_tail_alone(toy, measured):
    plain, sleepy = measured(toy("plain"), toy("sleepy", fault="sleepy"), tier=Tier("test", 1, 3, 1, 1.0, (0.5, 0.95)))
    a, b = summarise(plain), summarise(sleepy)
    assert b.percentiles[0.95].value - a.percentiles[0.95].value > 20e6
    assert abs(b.percentiles[0.5].value - a.percentiles[0.5].value) < 10e6


def test_one_that_marks_only_the_first_steps_is_told(toy, measured):
    (one,) = measured(toy("short", fault="empty-cache"))
    assert {"steps-miss-audio", "time-outside-steps"} <= set(summarise(one).faults)


def test_one_that_streams_nothing_has_a_whole_and_no_steps(toy, measured):
    (one,) = measured(toy("whole", fault="whole"))
    found = summarise(one)
    assert found.step is None
    assert found.first_audio.value <= found.end_to_end.value
    assert set(found.faults) == {"no-steps"}


def test_what_fails_has_a_name_and_the_others_are_measured(toy, measured):
    rows = measured(
        toy("plain"), toy("crash", fault="crash"), toy("refuses", fault="failure"), toy("absent", fault="import")
    )
    names = [row.failure and row.failure[0] for row in rows]
    assert names[:3] == [None, "crash", "refused"]
    assert names[3] == "import-error"
    assert "no such weights" in rows[3].failure[1]
    assert len(rows[0].counted) == 2


def test_a_batch_that_does_not_fit_is_told_and_single_samples_stand(toy, measured):
    small, large = measured(toy("plain"), toy("large", fault="memory"), batches=(2,))
    assert small.batches[2][0].seconds == pytest.approx(2 * small.counted[0].seconds)
    assert large.batch_failures[2][0] == "out-of-memory"
    assert len(large.counted) == 2
    assert summarise(small).throughput[2] > summarise(small).throughput[1]


def test_spans_can_be_left_out(toy, measured):
    (one,) = measured(toy("plain"), trace=False)
    assert one.counted[0].spans == ()
    assert summarise(one).source == "arrivals"


def test_modules_that_the_file_names_are_hooked(toy, measured):
    (one,) = measured(toy("hooked", factory="Hooked", spans={"backbone": "model.backbone", "head": "model.heads.0"}))
    found = summarise(one)
    assert found.source == "arrivals"
    assert found.faults == {}
    # Twenty-four milliseconds beside three times eight.
    assert 0.35 < found.parts["backbone"].share < 0.65
    assert 0.35 < found.parts["head"].share < 0.65
    assert found.parts["unattributed"].share < 0.1


def test_a_path_that_leads_nowhere_is_named(toy, measured):
    (one,) = measured(toy("hooked", factory="Hooked", spans={"backbone": "model.spine"}))
    assert one.failure[0] == "load-error"
    assert "model.spine" in one.failure[1]


def test_a_row_asked_for_twice_or_of_another_task_is_refused(toy, measured, tmp_path):
    name = toy("plain")
    with pytest.raises(InputError, match="asked for twice"):
        measured(name, RowWish(name, {"steps": 1}))
    bench = Bench(SHORT, Conditions(), tmp_path, task="text_to_music")
    with pytest.raises(InputError, match="does not do 'text_to_music'"):
        measure([RowWish(name)], bench, Progress(tmp_path / "log", quiet=True))
    bench = Bench(SHORT, Conditions(), tmp_path)
    with pytest.raises(InputError, match="more than one task"):
        measure([RowWish(name)], bench, Progress(tmp_path / "log", quiet=True))


@pytest.mark.parametrize("text", ["", "a:", "a:steps", "a:=3", "a:steps=", "a:steps=1,steps=2"])
def test_words_that_are_no_row_are_refused(text):
    with pytest.raises(InputError):
        RowWish.parse(text)


def test_a_pair_needs_another_row():
    with pytest.raises(InputError, match="name it with --against"):
        rows_of_call(["a"], None, True)
    found = rows_of_call(["a", "b:steps=4"], "c", True)
    assert [row.wish.system for row in found.rows] == ["a", "b", "c"]
    assert (found.against, [row.same_backbone for row in found.rows]) == (2, [True, True, False])


def test_the_command_prints_the_anatomy_and_draws_every_figure(toy, tmp_path, capsys):
    a, b = toy("slow", backbone=20.0, head=20.0), toy("quick", backbone=20.0, head=4.0)
    out = tmp_path / "told"
    words = ["latency", b, "--against", a, "--same-backbone", "--task", "music_continuation", "--out", str(out)]
    assert main([*words, "--duration", "0.3", "--generations", "2"]) == 0
    report = capsys.readouterr().out
    assert "Anatomy of a step (eager)" in report
    assert "quick (untrained)" in report
    assert "timing suspect" not in report
    for name in ("parts", "index", "deadlines"):
        assert (out / "figures" / f"{name}.png").stat().st_size > 5000
        assert (out / "figures" / f"{name}.svg").is_file()
    values = (out / "latency.csv").read_text().splitlines()
    speedup = next(line.split(",") for line in values if ",speedup,step," in line)
    assert 1.3 < float(speedup[4]) < 2.0
    again = read_measurement(out / "latency.json")
    assert [row.row.name for row in again.rows] == ["quick", "slow"]
    assert again.about["environment"]["threads"] >= 1


def test_eager_and_compiled_stand_in_tables_of_their_own(toy, tmp_path, capsys):
    a, b = toy("slow"), toy("quick", execution="compiled")
    words = ["latency", b, "--against", a, "--task", "tts", "--out", str(tmp_path / "told")]
    assert main([*words, "--generations", "2"]) == 0
    report = capsys.readouterr().out
    assert "Anatomy of a step (eager)" in report
    assert "Anatomy of a step (compiled)" in report
    assert "Side by side" not in report


def test_when_no_row_could_be_measured_the_exit_code_says_so(toy, tmp_path, capsys):
    words = ["latency", toy("crash", fault="crash"), "--task", "tts", "--out", str(tmp_path / "told")]
    assert main([*words, "--generations", "1", "--duration", "0.2"]) == 4
    assert "`crash` crash was not measured" in capsys.readouterr().out
