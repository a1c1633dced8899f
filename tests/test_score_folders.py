"""`calm-eval score --generated DIR --reference DIR`: two folders, no suite."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tones import tone


@pytest.fixture
def folders(tmp_path):
    """Two folders of three tones each, with the same ids; generated ones half as loud."""
    for name, gain in (("made", 0.5), ("true", 1.0)):
        (tmp_path / name / "deep").mkdir(parents=True)
        for number, place in enumerate(("a.wav", "b.wav", "deep/c.wav")):
            soundfile.write(tmp_path / name / place, gain * 0.8 * tone(0.5, 300 + 100 * number), 16000)
    return tmp_path / "made", tmp_path / "true"


def rows(path):
    with (path / "summary.csv").open(encoding="utf-8") as file:
        return {row["metric"]: row for row in csv.DictReader(file)}


def test_pairs_and_sets_in_one_table(tmp_path, folders, cli):
    made, true = folders
    call = cli("score", "--generated", made, "--reference", true, "--metrics", "demo_pair,demo_gap", "--out", "run")
    assert call.returncode == 0, call.stderr
    table = rows(tmp_path / "run")
    assert float(table["demo_pair"]["value"]) == pytest.approx(0.5, abs=1e-3)
    assert (table["demo_gap"]["n_scored"], table["demo_gap"]["variant"]) == ("3", "made")
    assert "3 at 16000 Hz, 1 channel" in call.stdout
    again = cli("score", "--generated", made, "--reference", true, "--metrics", "demo_pair,demo_gap", "--out", "run")
    assert again.returncode == 0
    assert rows(tmp_path / "run") == table


def test_sets_alone_need_no_equal_ids(tmp_path, folders, cli):
    made, true = folders
    (made / "a.wav").rename(made / "z.wav")
    call = cli("score", "--generated", made, "--reference", true, "--metrics", "demo_gap", "--out", "run")
    assert call.returncode == 0, call.stderr
    call = cli("score", "--generated", made, "--reference", true, "--metrics", "demo_pair", "--out", "pairs")
    assert call.returncode == 2
    assert f"1 only in {made}: z; 1 only in {true}: a" in call.stderr
    assert "--metrics" in call.stderr


def test_texts_come_by_id(tmp_path, folders, cli):
    made, true = folders
    texts = tmp_path / "texts.jsonl"
    texts.write_text(json.dumps({"id": "a", "text": "low"}) + "\n" + json.dumps({"id": "x", "text": "none"}) + "\n")
    call = cli("score", "--generated", made, "--reference", true, "--manifest", texts, "--metrics", "demo_gap")
    assert call.returncode == 2
    assert "'x' is no clip of" in call.stderr
    texts.write_text('{"id": "a"\n')
    call = cli("score", "--generated", made, "--reference", true, "--manifest", texts, "--metrics", "demo_gap")
    assert call.returncode == 2
    assert "texts.jsonl:1" in call.stderr


def test_what_is_no_audio_is_said(tmp_path, folders, cli):
    made, true = folders
    (made / "notes.txt").write_text("no sound")
    (true / "broken.wav").write_text("this is a text")
    (made / "broken.wav").write_text("this is a text")
    call = cli("score", "--generated", made, "--reference", true, "--metrics", "demo_pair", "--out", "run")
    assert call.returncode == 0, call.stderr
    assert "Not audio and left out: notes.txt." in call.stdout
    assert (rows(tmp_path / "run")["demo_pair"]["n_scored"], rows(tmp_path / "run")["demo_pair"]["n_expected"]) == (
        "3",
        "4",
    )
    assert "unreadable" in call.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["score"], "name a run folder, or two folders"),
        (["score", "--generated", "made"], "name a run folder, or two folders"),
        (["score", "runs/x", "--generated", "made"], "either a run folder, or"),
        (["score", "--generated", "made", "--reference", "empty"], "no audio file in this folder"),
        (["score", "--generated", "made", "--reference", "gone"], "no such folder"),
        (["score", "--generated", "made", "--reference", "true", "--metrics", "fadd"], "unknown metrics 'fadd'"),
        (["score", "--generated", "made", "--reference", "true", "--metrics", "demo_gap:nobody"], "unknown judges"),
    ],
)
def test_wrong_words_are_told(tmp_path, folders, cli, words, told):
    (tmp_path / "empty").mkdir()
    call = cli(*words)
    assert call.returncode == 2
    assert told in call.stderr


def test_two_files_of_one_id_are_an_error(folders, cli):
    made, true = folders
    soundfile.write(made / "a.flac", tone(0.5, 300), 16000)
    call = cli("score", "--generated", made, "--reference", true, "--metrics", "demo_gap")
    assert call.returncode == 2
    assert "two files for item 'a'" in call.stderr


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_noise_raises_the_distances_in_order_and_equal_folders_are_at_nought(tmp_path, cli):
    """Real music by real judges: halves of eighteen recordings, the second one also with noise at 20 and 5 dB."""
    root = os.environ.get("CALM_EVAL_TEST_DATA")
    if not root:
        pytest.skip("CALM_EVAL_TEST_DATA is not set")
    rng = np.random.default_rng(0)
    for path in sorted((Path(root) / "music").rglob("*.o*")):
        audio, rate = soundfile.read(path, always_2d=True)
        half = min(len(audio), 30 * rate) // 2
        if half < 5 * rate:
            continue
        first, second = audio[:half], audio[half : 2 * half]
        noise = rng.standard_normal(second.shape) * np.sqrt((second**2).mean())
        made = {"first": first, "second": second, "at20": second + 0.1 * noise, "at5": second + 10**-0.25 * noise}
        for name, samples in made.items():
            (tmp_path / name).mkdir(exist_ok=True)
            soundfile.write(tmp_path / name / f"{path.stem}.flac", samples / max(1.0, np.abs(samples).max()), rate)
    found = {}
    for name in ("second", "at20", "at5", "first"):
        call = cli(
            "score", "--generated", tmp_path / name, "--reference", tmp_path / "first", "--out", f"run-{name}",
            timeout=900,
        )  # fmt: skip
        assert call.returncode == 0, call.stderr
        found[name] = rows(tmp_path / f"run-{name}")
    for metric in ("fad", "kad", "kl"):
        values = [float(found[name][metric]["value"]) for name in ("first", "second", "at20", "at5")]
        assert values == sorted(values), metric
        assert abs(values[0]) < 1e-9
        assert float(found["second"][metric]["low"]) < float(found["second"][metric]["high"])
    assert found["second"]["fad_infinity"]["invalid"] == "n < 5d"
    assert float(found["second"]["fad_floor"]["value"]) > 0
