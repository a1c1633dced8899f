"""A system that declares itself unscored is timed, and nothing else: no judge hears it, no cell holds a quality."""

from __future__ import annotations

import json
import re
import sqlite3

import calm_eval_demo
import pytest

from calm_eval import evaluate, load_run
from calm_eval.errors import UnavailableError
from calm_eval.judges.protocol import JudgeInfo, Judgement

CODE = """
from array import array
from calm_eval.systems.protocol import Chunk, Done, SystemInfo

class Blank:
    info = SystemInfo(tasks=("tts",), family="continuous", sample_rate=16000, version=1, unscored=REASON)

    def load(self, device, dtype, threads):
        pass

    def generate(self, requests, sampling):
        for request in requests:
            level = 0.001 * len(request.text)
            yield Chunk(request.item, request.seed, array("f", [level, -level] * 4000), 16000)
            yield Done(request.item, request.seed)

def create():
    return Blank()
"""
TEXT = "untrained: quality not scored"


@pytest.fixture
def blank(write_system):
    """Write the system, unscored for this reason; the same audio whatever the reason."""

    def make(reason="untrained", name="blank"):
        return str(write_system(name, CODE.replace("REASON", repr(reason))))

    return make


def count(run, table):
    with sqlite3.connect(run.folder / "run.sqlite") as connection:
        (number,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    connection.close()
    return number


def cells(run):
    return run.summary().set_index(["variant", "metric"])


def test_it_is_timed_and_no_judge_is_even_loaded(tmp_path, tone_suite, blank, monkeypatch):
    class Gone(calm_eval_demo.LevelJudge):
        def load(self, device, threads):
            raise UnavailableError("nobody may ask for it")

    monkeypatch.setattr(calm_eval_demo, "LevelJudge", Gone)
    run = evaluate(str(tone_suite(3)), [blank()], out=tmp_path / "run")
    assert run.unavailable == {}
    assert run.samples()["failure"].isna().all()
    assert count(run, "judgements") == 0
    assert count(run, "judges") == 0
    level, speed = cells(run).loc[("blank", "demo_level")], cells(run).loc[("blank", "rtf")]
    assert level[["value", "low", "high"]].isna().all()
    assert (level["n_scored"], level["n_expected"]) == (0, 3)
    assert json.loads(level["failures"]) == {"unscored": 3}
    assert (speed["n_scored"], speed["n_expected"], speed["failures"]) == (3, 3, "{}")
    assert speed["value"] > 0
    values = run.values().set_index("metric")
    assert values.loc["demo_level", "refused"].tolist() == ["unscored"] * 3
    assert values.loc["demo_level", "value"].isna().all()
    assert values.loc["rtf", "value"].notna().all()
    page = (tmp_path / "run" / "report.md").read_text()
    assert re.search(rf"^\| blank \| {TEXT} \| [0-9.e-]+", page, re.MULTILINE)
    assert f"| blank | {TEXT} | not scored by Level |" in page
    assert "(0/3)" not in page
    assert "Judge not available" not in page


def test_beside_a_scored_system_only_that_one_is_heard(tmp_path, tone_suite, blank):
    run = evaluate(str(tone_suite(3)), [blank(), "demo-sine", "reference"], out=tmp_path / "run")
    assert run.invocations()["judged"].tolist() == [6]
    judged = {row["audio"] for _, row in run.samples().iterrows() if row["variant"] != "blank"}
    with sqlite3.connect(run.folder / "run.sqlite") as connection:
        assert {audio for (audio,) in connection.execute("SELECT audio FROM judgements")} == judged
    connection.close()
    table = cells(run)
    assert table.loc[("demo-sine", "demo_level"), "value"] == pytest.approx(0.5 / 2**0.5, abs=2e-3)
    assert table.loc[("reference", "demo_level"), "n_scored"] == 3
    assert table.loc[("blank", "demo_level"), "n_scored"] == 0
    page = (tmp_path / "run" / "report.md").read_text()
    assert page.count(TEXT) == 2  # the cell, and the line below the table
    # The second call finds nothing to do.
    text = (tmp_path / "run" / "summary.csv").read_text()
    again = evaluate(str(tone_suite(3)), [blank(), "demo-sine", "reference"], out=tmp_path / "run")
    assert again.invocations()[["generated", "judged"]].values.tolist() == [[9, 6], [0, 0]]
    assert (tmp_path / "run" / "summary.csv").read_text() == text


def test_from_unscored_to_scored_and_back(tmp_path, tone_suite, blank):
    suite, out = str(tone_suite(2)), tmp_path / "run"
    evaluate(suite, [blank()], out=out)
    run = evaluate(suite, [blank("")], out=out)
    # The same weights: the samples stay, and are judged now.
    assert run.invocations()[["generated", "judged"]].values.tolist() == [[2, 0], [0, 2]]
    value = cells(run).loc[("blank", "demo_level"), "value"]
    samples = run.samples()
    assert value == pytest.approx(samples["peak"].mean(), abs=1e-4)
    assert TEXT not in (out / "report.md").read_text()
    run = evaluate(suite, [blank()], out=out)
    assert cells(run).loc[("blank", "demo_level"), "failures"] == '{"unscored": 2}'
    assert run.values().set_index("metric").loc["demo_level", "value"].isna().all()
    assert TEXT in (out / "report.md").read_text()
    run = evaluate(suite, [blank("")], out=out)
    assert run.invocations()["judged"].tolist() == [0, 2, 0, 0]
    assert cells(run).loc[("blank", "demo_level"), "value"] == value


def test_stages_alone_say_the_same(tmp_path, tone_suite, blank, cli):
    system = blank()
    assert cli("generate", tone_suite(2), "--systems", system, "--out", "run").returncode == 0
    run = load_run(tmp_path / "run")
    assert json.loads(cells(run).loc[("blank", "demo_level"), "failures"]) == {"unscored": 2}
    assert json.loads(cells(run).loc[("blank", "rtf"), "failures"]) == {"not-scored": 2}
    assert cli("score", "run").returncode == 0
    done = cli("report", "run")
    assert f"| blank | {TEXT} |" in done.stdout
    assert cells(run).loc[("blank", "rtf"), "n_scored"] == 2
    assert count(run, "judgements") == 0
    assert TEXT in cli("run", tone_suite(2), "--systems", system, "--dry-run").stdout


def test_in_process_is_the_same(tmp_path, tone_suite, blank):
    run = evaluate(str(tone_suite(1)), [blank(name="inside")], out=tmp_path / "run", in_process=True)
    assert json.loads(cells(run).loc[("inside", "demo_level"), "failures"]) == {"unscored": 1}


def test_a_run_stored_before_there_was_such_a_word_still_opens(tmp_path, tone_suite):
    run = evaluate(str(tone_suite(2)), ["demo-sine"], out=tmp_path / "run")
    before = run.summary()
    with sqlite3.connect(run.folder / "run.sqlite") as connection:
        (text,) = connection.execute("SELECT json FROM variants").fetchone()
        told = json.loads(text)
        assert told.pop("unscored") == ""
        connection.execute("UPDATE variants SET json = ?", [json.dumps(told)])
    connection.close()
    assert load_run(run.folder).summary().equals(before)
    assert load_run(run.folder).summary()["n_scored"].tolist() == [2, 2]


def test_a_description_without_the_word_is_scored(tmp_path, tone_suite, write_system):
    forget = (
        "    one = Blank()\n    one.info = SimpleNamespace(**vars(one.info))\n    del one.info.unscored\n    return one"
    )
    code = CODE.replace("REASON", "''").replace("    return Blank()", forget)
    code = "from types import SimpleNamespace\n" + code
    run = evaluate(str(tone_suite(1)), [str(write_system("old", code))], out=tmp_path / "run")
    assert cells(run).loc[("old", "demo_level"), "n_scored"] == 1


def test_a_reason_cannot_break_the_table(tmp_path, tone_suite, blank):
    evaluate(str(tone_suite(1)), [blank("half|<b>\ntrained")], out=tmp_path / "run")
    assert "| blank | half\\|&lt;b&gt; trained: quality not scored |" in (tmp_path / "run" / "report.md").read_text()


class Writes(calm_eval_demo.LevelJudge):
    """Hears the same words in everything."""

    info = JudgeInfo(name="demo-words", output="text", sample_rate=16000, version=1, weights={})

    def judge(self, batch):
        return [Judgement(text="a tone la la") for _ in batch]


def test_the_plot_leaves_it_out_and_one_of_before_goes(tmp_path, tone_suite, blank, monkeypatch):
    monkeypatch.setattr(calm_eval_demo, "LevelJudge", Writes)
    suite = str(tone_suite(2, metrics=[{"name": "wer", "judge": {"name": "demo-level"}}, "rtf"]))
    figure = tmp_path / "run" / "figures" / "tones-wer-rtf.svg"
    evaluate(suite, ["demo-sine", blank()], out=tmp_path / "run")
    assert "tones-wer-rtf.png" in (tmp_path / "run" / "report.md").read_text()
    alone = tmp_path / "alone" / "figures" / "tones-wer-rtf.svg"
    evaluate(suite, ["demo-sine"], out=tmp_path / "alone", reuse=[tmp_path / "run"])
    # To the byte the plot of the scored system alone.
    assert figure.read_bytes() == alone.read_bytes()
    evaluate(suite, [blank()], out=tmp_path / "run")
    assert not figure.exists()
    assert not figure.with_suffix(".png").exists()
    assert "figures/" not in (tmp_path / "run" / "report.md").read_text()
