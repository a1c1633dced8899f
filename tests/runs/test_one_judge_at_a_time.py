from __future__ import annotations

import calm_eval_demo
import pytest

from calm_eval import evaluate
from calm_eval.errors import UnavailableError
from calm_eval.judges.protocol import JudgeInfo, Judgement


class Logged(calm_eval_demo.LevelJudge):
    """A judge that notes when it comes and goes."""

    events: list[str] = []  # noqa: RUF012

    def __init__(self, name="one"):
        self.name = name
        self.info = JudgeInfo(name=f"demo-{name}", output="scores", sample_rate=16000, version=1, weights={})

    def load(self, device, threads):
        self.events.append(f"load {self.name}")

    def close(self):
        self.events.append(f"close {self.name}")


class Gone(Logged):
    def load(self, device, threads):
        raise UnavailableError("its weights are not here; run `calm-eval assets fetch gone`")


def uses(*names):
    return [{"name": "demo_level", "judge": {"name": "demo-level", "options": {"name": name}}} for name in names]


def test_a_judge_goes_before_the_next_comes_and_none_comes_for_nothing(tmp_path, tone_suite, monkeypatch):
    monkeypatch.setattr(calm_eval_demo, "LevelJudge", Logged)
    suite = str(tone_suite(2, metrics=uses("one", "two")))
    evaluate(suite, ["demo-sine"], out=tmp_path / "run")
    assert Logged.events == ["load one", "close one", "load two", "close two"]
    evaluate(suite, ["demo-sine"], out=tmp_path / "run")
    assert len(Logged.events) == 4


def test_a_judge_that_cannot_be_had_is_said_in_its_cells_and_replaced_by_none(tmp_path, tone_suite, monkeypatch):
    monkeypatch.setattr(calm_eval_demo, "LevelJudge", Gone)
    run = evaluate(str(tone_suite(2)), ["demo-sine"], out=tmp_path / "run")
    assert "assets fetch gone" in run.unavailable["demo-one"]
    level = run.summary().set_index("metric").loc["demo_level"]
    assert (level["n_scored"], level["n_expected"]) == (0, 2)
    assert level["failures"] == '{"judge-unavailable": 2}'
    report = (tmp_path / "run" / "report.md").read_text()
    assert "| judge unavailable |" in report
    assert "assets fetch gone" in report
    monkeypatch.setattr(calm_eval_demo, "LevelJudge", Logged)
    assert evaluate(str(tone_suite(2)), ["demo-sine"], out=tmp_path / "run").summary().iloc[0]["n_scored"] == 2


class Moody(Logged):
    broken = True

    def judge(self, batch):
        # The second item of the suite is the longer one.
        if self.broken and max(len(audio) for audio in batch) > 4000:
            raise RuntimeError("planted")
        return super().judge(batch)


def test_a_judge_that_raises_on_one_audio_costs_that_audio_only(tmp_path, tone_suite, monkeypatch):
    monkeypatch.setattr(calm_eval_demo, "LevelJudge", Moody)
    suite = str(tone_suite(2))
    run = evaluate(suite, ["demo-sine"], out=tmp_path / "run")
    level = run.summary().set_index("metric").loc["demo_level"]
    assert (level["n_scored"], level["failures"]) == (1, '{"judge:error": 1}')
    monkeypatch.setattr(Moody, "broken", False)
    run = evaluate(suite, ["demo-sine"], out=tmp_path / "run")
    assert run.summary().set_index("metric").loc["demo_level", "n_scored"] == 2
    assert run.invocations()["judged"].tolist() == [2, 1]


def test_one_metric_by_two_judges_has_two_columns(tmp_path, tone_suite, monkeypatch):
    class Half(Logged):
        def judge(self, batch):
            factor = 0.5 if self.name == "two" else 1.0
            return [Judgement(scores={"rms": factor * one.scores["rms"]}) for one in super().judge(batch)]

    monkeypatch.setattr(calm_eval_demo, "LevelJudge", Half)
    run = evaluate(str(tone_suite(2, metrics=uses("one", "two"))), ["demo-sine"], out=tmp_path / "run")
    values = run.summary().set_index("preset")["value"]
    assert values["demo-one"] == pytest.approx(2 * values["demo-two"])
    report = (tmp_path / "run" / "report.md").read_text()
    assert "demo-one" in report.split("| demo-sine")[0]
    assert "demo-two" in report.split("| demo-sine")[0]
