"""Metrics of sets and of pairs, gates and options, from the suite file to the table."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tones import tone

from calm_eval import evaluate
from calm_eval.audio.read import read_audio
from calm_eval.errors import InputError


@pytest.fixture
def with_reference_set(tone_suite, tmp_path):
    """A tone suite whose reference set is a folder of quiet tones."""

    def make(n=4, clips=3, **changes):
        folder = tmp_path / "suite" / "clips"
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(clips):
            soundfile.write(folder / f"clip-{number}.wav", 0.2 * tone(0.3, 250 + 50 * number), 16000)
        return tone_suite(n, reference_set={"folder": "clips"}, **{"metrics": ["demo_gap"], **changes})

    return make


def rms(path):
    return float(np.sqrt(np.mean(read_audio(Path(path)).samples.astype(np.float64) ** 2)))


def test_a_set_metric_sees_all_samples_and_the_reference_set(tmp_path, with_reference_set):
    suite = with_reference_set()
    run = evaluate(str(suite), ["demo-sine", "reference"], out=tmp_path / "run")
    cells = run.summary().set_index("variant")
    samples = run.samples()
    there = np.mean([rms(path) for path in sorted((suite.parent / "clips").glob("*.wav"))])
    for name in ("demo-sine", "reference"):
        here = np.mean([rms(path) for path in samples.loc[samples["variant"] == name, "path"]])
        assert cells.loc[name, "value"] == pytest.approx(here - there, abs=1e-4)
        assert cells.loc[name, "low"] == pytest.approx(cells.loc[name, "value"] - 1)
        assert (cells.loc[name, "n_scored"], cells.loc[name, "n_expected"]) == (4, 4)
    report = (tmp_path / "run" / "report.md").read_text()
    assert "by hand" in report
    assert "clips 3" in report
    assert "reference set: `" in report


def test_it_is_computed_once_and_anew_when_the_reference_set_changes(tmp_path, with_reference_set, monkeypatch):
    import calm_eval_demo

    asked = []
    real = calm_eval_demo.Gap.measure_set
    monkeypatch.setattr(calm_eval_demo.Gap, "measure_set", lambda *all_: asked.append(1) or real(*all_))
    suite, out = with_reference_set(), tmp_path / "run"
    first = evaluate(str(suite), ["demo-sine"], out=out).summary()
    evaluate(str(suite), ["demo-sine"], out=out)
    assert len(asked) == 1
    soundfile.write(suite.parent / "clips" / "clip-0.wav", 0.4 * tone(0.3, 250), 16000)
    second = evaluate(str(suite), ["demo-sine"], out=out)
    assert len(asked) == 2
    assert second.summary().loc[0, "value"] < first.loc[0, "value"]
    # The sample was not judged again, the one changed clip was.
    assert second.invocations()["judged"].tolist() == [7, 0, 1]


def test_a_warning_stands_in_the_cell(tmp_path, with_reference_set):
    evaluate(str(with_reference_set(clips=2)), ["demo-sine"], out=tmp_path / "run")
    assert "(tiny)" in (tmp_path / "run" / "report.md").read_text().split("### Failures")[0]


def test_a_failed_sample_is_missing_from_the_set_by_name(tmp_path, with_reference_set, write_system):
    code = """
from calm_eval.systems.protocol import Chunk, Done, Failure, SystemInfo
from array import array

class System:
    info = SystemInfo(tasks=("tts",), family="other", sample_rate=16000, version=1)
    def load(self, device, dtype, threads): pass
    def generate(self, requests, sampling):
        for request in requests:
            if request.item == "item-1":
                yield Failure(request.item, request.seed, "planted", "as told")
            else:
                yield Chunk(request.item, request.seed, array("f", [0.1, -0.1] * 800), 16000)
                yield Done(request.item, request.seed)

def create():
    return System()
"""
    system = write_system("flaky", code)
    run = evaluate(str(with_reference_set()), [str(system)], out=tmp_path / "run")
    cell = run.summary().iloc[0]
    assert (cell["n_scored"], cell["n_expected"]) == (3, 4)
    assert json.loads(cell["failures"]) == {"planted": 1}
    assert "(3/4)" in (tmp_path / "run" / "report.md").read_text()


def test_one_sample_is_refused_by_name_and_has_no_number(tmp_path, with_reference_set):
    run = evaluate(str(with_reference_set(1)), ["demo-sine"], out=tmp_path / "run")
    cell = run.summary().iloc[0]
    assert (cell["value"], cell["invalid"]) == (None, "fewer than two samples")
    assert "fewer than two samples" in (tmp_path / "run" / "report.md").read_text()


def test_without_a_reference_set_it_is_an_error_before_anything_is_made(tmp_path, tone_suite):
    with pytest.raises(InputError, match="'demo_gap' compares with a reference set; add 'reference_set:'"):
        evaluate(str(tone_suite(2, metrics=["demo_gap"])), ["demo-sine"], out=tmp_path / "run")


def test_pairs_are_means_over_items_and_need_a_reference_for_each(tmp_path, tone_suite):
    suite = tone_suite(3, metrics=["demo_pair"])
    run = evaluate(str(suite), ["reference", "demo-sine"], out=tmp_path / "run")
    assert run.summary().set_index("variant").loc["reference", "value"] == pytest.approx(1.0, abs=1e-6)
    rows = [json.loads(line) for line in (suite.parent / "items.jsonl").read_text().splitlines()]
    del rows[1]["reference"]
    (suite.parent / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match=r"'item-1' has none \(1 of 3 items\)"):
        evaluate(str(suite), ["demo-sine"], out=tmp_path / "other")


def test_a_gate_takes_the_value_away_and_says_why(tmp_path, tone_suite):
    suite = tone_suite(3, metrics=["demo_gated", "demo_level"])
    run = evaluate(str(suite), ["demo-sine"], out=tmp_path / "run")
    level = run.summary().set_index("metric")["value"]
    levels = len({round(value, 6) for value in run.values().query("metric == 'demo_level'")["value"]})
    assert levels > 1
    assert level["demo_gated"] == level["demo_level"]
    alone = evaluate(str(suite), ["demo-sine"], out=tmp_path / "alone", limit=1)
    cell = alone.summary().set_index("metric").loc["demo_gated"]
    assert (np.isnan(cell["value"]), cell["invalid"]) == (True, "all alike")
    assert "– (all alike)" in (tmp_path / "alone" / "report.md").read_text()
    assert "levels 1" in (tmp_path / "alone" / "report.md").read_text()


def test_options_of_a_metric_are_in_its_value_and_its_fingerprint(tmp_path, tone_suite):
    metrics = [{"name": "demo_above", "options": {"level": level}} for level in (0.1, 0.9)]
    run = evaluate(str(tone_suite(2, metrics=metrics)), ["demo-sine"], out=tmp_path / "run")
    table = run.summary()
    assert table["value"].tolist() == [1.0, 0.0]
    assert table["fingerprint"].nunique() == 2
    with pytest.raises(InputError, match="takes no options"):
        evaluate(str(tone_suite(2, metrics=[{"name": "demo_level", "options": {"x": 1}}])), out=tmp_path / "b")
    with pytest.raises(InputError, match="demo_above"):
        evaluate(str(tone_suite(2, metrics=["demo_above"])), out=tmp_path / "c")
