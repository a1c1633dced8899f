"""A change invalidates precisely what depends on it."""

from __future__ import annotations

import json

import pytest
import soundfile
import yaml
from tones import tone

from calm_eval import evaluate, load_run
from calm_eval.audio.read import read_audio
from calm_eval.errors import StoreError


def worked(run):
    """(generated, judged) of the last call."""
    last = run.invocations().iloc[-1]
    return int(last["generated"]), int(last["judged"])


def change_row(suite, item, **changes):
    path = suite.parent / "items.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        if row["id"] == item:
            row.update(changes)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_the_second_call_does_nothing_and_says_the_same(tmp_path, tone_suite):
    suite, out = str(tone_suite(4)), tmp_path / "run"
    first = evaluate(suite, out=out)
    assert worked(first) == (8, 8)
    text = (out / "summary.csv").read_text()
    assert worked(evaluate(suite, out=out)) == (0, 0)
    assert (out / "summary.csv").read_text() == text


def test_a_changed_text_makes_its_own_sample_again(tmp_path, tone_suite):
    suite, out = tone_suite(4), tmp_path / "run"
    evaluate(str(suite), ["demo-sine"], out=out)
    change_row(suite, "item-2", text="another and longer text")
    assert worked(evaluate(str(suite), ["demo-sine"], out=out)) == (1, 1)


def test_a_changed_reference_touches_no_system(tmp_path, tone_suite):
    suite, out = tone_suite(4), tmp_path / "run"
    evaluate(str(suite), ["demo-sine", "reference"], out=out)
    soundfile.write(suite.parent / "audio" / "reference-1.wav", tone(0.4, 777), 16000)
    # Only the control that plays this reference is made again.
    assert worked(evaluate(str(suite), ["demo-sine", "reference"], out=out)) == (1, 1)


def test_a_changed_sampling_adds_and_going_back_is_free(tmp_path, tone_suite):
    suite, out = str(tone_suite(3)), tmp_path / "run"
    evaluate(suite, ["demo-sine"], out=out)
    sweep = {"frequency": [440.0, 600]}
    run = evaluate(suite, ["demo-sine"], out=out, sweep=sweep)
    assert worked(run) == (3, 3)
    assert list(run.summary()["variant"].unique()) == ["demo-sine", "demo-sine frequency=600"]
    assert worked(evaluate(suite, ["demo-sine"], out=out)) == (0, 0)


def test_a_new_seed_or_a_higher_limit_adds_only_itself(tmp_path, tone_suite):
    suite, out = str(tone_suite(4)), tmp_path / "run"
    assert worked(evaluate(suite, ["demo-sine"], out=out, limit=2))[0] == 2
    assert worked(evaluate(suite, ["demo-sine"], out=out, limit=4))[0] == 2
    run = evaluate(suite, ["demo-sine"], out=out, limit=4, seeds=2)
    assert worked(run)[0] == 4
    assert set(run.summary()["n_expected"]) == {8}


def test_an_edited_system_without_a_version_is_run_again(tmp_path, tone_suite, write_system):
    code = """
from array import array
from calm_eval.systems.protocol import Chunk, Done, SystemInfo
class One:
    info = SystemInfo(tasks=("tts",), family="other", sample_rate=16000)
    def load(self, device, dtype, threads): pass
    def generate(self, requests, sampling):
        for r in requests:
            yield Chunk(r.item, r.seed, array("f", [LEVEL, -LEVEL] * 4000), 16000)
            yield Done(r.item, r.seed)
def create(): return One()
LEVEL = 0.25
"""
    suite, out = str(tone_suite(2)), tmp_path / "run"
    evaluate(suite, [str(write_system("edited", code))], out=out)
    run = evaluate(suite, [str(write_system("edited", code.replace("0.25", "0.5")))], out=out)
    assert worked(run) == (2, 1)  # one new sound, the same for both items
    assert run.summary().set_index("metric").loc["demo_level", "value"] == pytest.approx(0.5, abs=1e-6)


def test_another_judge_version_judges_again_and_generates_nothing(tmp_path, tone_suite, monkeypatch):
    import calm_eval_demo

    suite, out = str(tone_suite(3)), tmp_path / "run"
    before = evaluate(suite, ["demo-sine"], out=out).summary().set_index("metric")["fingerprint"]
    info = calm_eval_demo.LevelJudge.info
    monkeypatch.setattr(calm_eval_demo.LevelJudge, "info", type(info)(**{**vars(info), "version": 2}))
    run = evaluate(suite, ["demo-sine"], out=out)
    assert worked(run) == (0, 3)
    after = run.summary().set_index("metric")["fingerprint"]
    assert before["demo_level"] != after["demo_level"]
    assert before["rtf"] == after["rtf"]


def test_a_damaged_or_deleted_audio_is_made_again(tmp_path, tone_suite):
    suite, out = str(tone_suite(2)), tmp_path / "run"
    run = evaluate(suite, ["demo-sine"], out=out)
    paths = run.samples()["path"].tolist()
    from pathlib import Path

    Path(paths[0]).unlink()
    assert worked(evaluate(suite, ["demo-sine"], out=out)) == (1, 0)
    soundfile.write(paths[1], tone(0.1), 16000, format="FLAC")
    # The judge has heard the true one already; a new judge would notice that this is another sound.
    with pytest.raises(StoreError, match="run the same command again"):
        _judge_anew(out, suite)
    assert worked(evaluate(suite, ["demo-sine"], out=out))[0] == 1
    assert read_audio(Path(paths[1])).frames > 1600


def _judge_anew(out, suite):
    import sqlite3

    with sqlite3.connect(out / "run.sqlite") as connection:
        connection.execute("DELETE FROM judgements")
    connection.close()
    evaluate(suite, ["demo-sine"], out=out, stages=("score",))


def test_reuse_takes_samples_from_an_earlier_run(tmp_path, tone_suite):
    suite = str(tone_suite(3))
    first = evaluate(suite, ["demo-sine"], out=tmp_path / "one")
    second = evaluate(suite, ["demo-sine"], out=tmp_path / "two", reuse=[tmp_path / "one"])
    assert worked(second) == (0, 3)
    columns = ["item", "audio", "generate_seconds", "made_at"]
    assert first.samples()[columns].equals(second.samples()[columns])


def test_stages_run_alone_and_meet(tmp_path, tone_suite, cli):
    suite = tone_suite(2)
    assert cli("generate", suite, "--out", "run").returncode == 0
    assert not (tmp_path / "run" / "summary.csv").exists()
    assert cli("score", "run").returncode == 0
    assert cli("report", "run").returncode == 0
    assert cli("generate", "run").returncode == 0
    run = load_run(tmp_path / "run")
    assert run.invocations()["generated"].tolist() == [4, 0, 0, 0]
    assert run.invocations()["judged"].tolist() == [0, 4, 0, 0]
    assert (run.summary()["n_scored"] == 2).sum() == 3  # level twice, and the speed of the one system that is timed


def test_two_suites_share_a_run_and_a_suite_is_replaced_not_doubled(tmp_path, tone_suite):
    first = tone_suite(2)
    other = first.with_name("other.yaml")
    other.write_text(yaml.safe_dump({**yaml.safe_load(first.read_text()), "name": "other"}))
    run = evaluate([str(first), str(other)], ["demo-sine"], out=tmp_path / "run")
    assert worked(run) == (2, 2)  # the same requests: one sample serves both suites
    assert sorted(run.summary()["suite"].unique()) == ["other", "tones"]
    run = evaluate(str(first), ["reference"], out=tmp_path / "run")
    assert run.summary().groupby("suite")["variant"].unique().map(list).to_dict() == {
        "other": ["demo-sine"],
        "tones": ["reference"],
    }


def test_a_changed_recording_touches_its_own_item_only(tmp_path, tone_suite):
    suite, out = tone_suite(3), tmp_path / "run"
    (tmp_path / "made").mkdir()
    for number in range(3):
        soundfile.write(tmp_path / "made" / f"item-{number}.wav", tone(0.2, 300 + number), 16000)
    system = tmp_path / "made.yaml"
    system.write_text(yaml.safe_dump({"name": "made", "folder": "made"}))
    first = evaluate(str(suite), [str(system)], out=out)
    assert worked(first) == (3, 3)
    soundfile.write(tmp_path / "made" / "item-1.wav", tone(0.2, 555), 16000)
    assert worked(evaluate(str(suite), [str(system)], out=out)) == (1, 1)


def test_batches_are_filled_whatever_the_number_of_seeds(tmp_path, tone_suite, write_system):
    code = """
from array import array
from calm_eval.systems.protocol import Chunk, Done, SystemInfo
class Counts:
    info = SystemInfo(tasks=("tts",), family="other", sample_rate=16000, version=1)
    def load(self, device, dtype, threads): pass
    def generate(self, requests, sampling):
        for r in requests:
            yield Chunk(r.item, r.seed, array("f", [0.01 * len(requests), 0.0] * 4000), 16000)
            yield Done(r.item, r.seed)
def create(): return Counts()
"""
    system = str(write_system("counts", code))
    run = evaluate(str(tone_suite(4)), [system], out=tmp_path / "run", seeds=2, batch_size=4)
    assert run.samples()["peak"].tolist() == pytest.approx([0.04] * 8)
