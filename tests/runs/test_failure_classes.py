"""Every class of failure against every kind of metric: what becomes of the value, and what it is counted as."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
import yaml
from tones import tone

from calm_eval import evaluate
from calm_eval.judges.protocol import Judgement

KINDS = {"item": "demo_level", "ratio": "demo_power", "pair": "demo_pair", "set": "demo_gap"}

LOST = {
    "empty": (lambda path: soundfile.write(path, np.zeros((0,)), 16000, subtype="FLOAT"), "empty"),
    "nan": (lambda path: soundfile.write(path, np.full(4800, np.nan, np.float32), 16000, subtype="FLOAT"), "nan"),
    "missing": (lambda path: path.unlink(), "missing"),
    "not audio": (lambda path: path.write_text("a text"), "unreadable"),
    "refused by the judge": (lambda path: soundfile.write(path, np.zeros(4800), 16000), "judge:silent"),
}
NOTICED = {
    "clipped": (lambda path: soundfile.write(path, 4 * tone(0.3, 300), 16000, subtype="FLOAT"), "clipped"),
    "too short": (lambda path: soundfile.write(path, tone(0.05, 300), 16000), "too-short"),
    "nearly silent": (lambda path: soundfile.write(path, 1e-4 * tone(0.3, 300), 16000, subtype="FLOAT"), "silent"),
}


@pytest.fixture
def scored(tmp_path, tone_suite, monkeypatch):
    """Score four recorded tones of which `spoil` has changed the second; the row of each kind of metric."""
    import calm_eval_demo

    class Strict(calm_eval_demo.LevelJudge):
        def judge(self, batch):
            return [
                answer if audio.any() else Judgement(refused="silent")
                for audio, answer in zip(batch, super().judge(batch), strict=True)
            ]

    monkeypatch.setattr(calm_eval_demo, "LevelJudge", Strict)

    def run(spoil=None, name="run"):
        folder = tmp_path / name / "made"
        folder.mkdir(parents=True)
        for number in range(4):
            soundfile.write(folder / f"item-{number}.wav", 0.5 * tone(0.3, 300 + 10 * number), 16000)
        if spoil is not None:
            spoil(folder / "item-1.wav")
        system = tmp_path / name / "made.yaml"
        system.write_text(yaml.safe_dump({"name": "made", "folder": "made"}))
        suite = tone_suite(4, metrics=list(KINDS.values()), reference_set={"folder": "audio"})
        table = evaluate(str(suite), [str(system)], out=tmp_path / name / "run").summary()
        return table.set_index("metric")

    return run


@pytest.mark.parametrize("kind", LOST)
def test_what_cannot_be_scored_is_counted_and_leaves_the_value_of_the_others(scored, kind):
    spoil, name = LOST[kind]
    whole, spoiled = scored(name="whole"), scored(spoil)
    for metric in KINDS.values():
        row = spoiled.loc[metric]
        assert (row["n_scored"], row["n_expected"]) == (3, 4), metric
        assert json.loads(row["failures"]) == {name: 1}, metric
        # Tones of one level: three of them say what four did.
        assert row["value"] == pytest.approx(whole.loc[metric, "value"], rel=1e-3), metric


@pytest.mark.parametrize("kind", NOTICED)
def test_what_is_odd_is_scored_and_noticed(scored, kind):
    spoil, name = NOTICED[kind]
    spoiled = scored(spoil)
    for metric in KINDS.values():
        row = spoiled.loc[metric]
        assert (row["n_scored"], json.loads(row["failures"])) == (4, {}), metric
        assert json.loads(row["flags"]) == {name: 1}, metric


def test_a_sample_that_is_made_again_is_measured_again(tmp_path, tone_suite, monkeypatch, scored):
    """A row's value rests on what its samples are now, not on their names."""
    first = scored(name="first")
    second = scored(lambda path: soundfile.write(path, 0.9 * tone(0.3, 310), 16000), name="second")
    for metric in KINDS.values():
        assert second.loc[metric, "value"] > first.loc[metric, "value"]
