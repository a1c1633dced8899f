"""Bad recordings, bad items and hostile words: a named failure on that item, or an error before compute."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
import yaml
from tones import tone

from calm_eval import evaluate
from calm_eval.errors import InputError

EXPECTED = {
    "missing": "missing",
    "text": "unreadable",
    "zero-bytes": "unreadable",
    "truncated": "truncated",
    "nan": "nan",
    "no-frames": "empty",
}
GOOD = ("eight", "ninety-six", "stereo", "deep", "loud", "plain")


@pytest.fixture
def recordings(tmp_path):
    folder = tmp_path / "recorded"
    folder.mkdir()
    soundfile.write(folder / "plain.wav", tone(0.5), 16000)
    whole = (folder / "plain.wav").read_bytes()
    (folder / "truncated.wav").write_bytes(whole[: len(whole) // 2])
    (folder / "text.wav").write_text("I am not a sound\n" * 50)
    (folder / "zero-bytes.wav").write_bytes(b"")
    holes = tone(0.5)
    holes[1000:1010] = np.nan
    soundfile.write(folder / "nan.wav", holes, 16000, subtype="FLOAT")
    soundfile.write(folder / "no-frames.wav", np.zeros(0), 16000)
    soundfile.write(folder / "eight.wav", tone(0.5, rate=8000), 8000)
    soundfile.write(folder / "ninety-six.flac", tone(0.5, rate=96000), 96000)
    soundfile.write(folder / "stereo.wav", np.stack([tone(0.5)] * 2, axis=1), 16000)
    soundfile.write(folder / "deep.wav", tone(0.5), 16000, subtype="PCM_24")
    soundfile.write(folder / "loud.wav", tone(0.5) * 3, 16000, subtype="FLOAT")
    return folder


def suite_of(folder, ids, **item):
    rows = [{"id": name, "text": f"this is {name}", **item} for name in ids]
    (folder / "ids.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    file = folder / "ids.yaml"
    spec = {"name": "ids", "version": 1, "task": "tts", "title": "T", "items": {"manifest": "ids.jsonl"}}
    file.write_text(yaml.safe_dump({**spec, "metrics": ["demo_level"]}))
    return file


def test_every_bad_recording_is_a_named_failure_and_every_good_one_is_heard(tmp_path, recordings):
    suite = suite_of(tmp_path, [*EXPECTED, *GOOD])
    system = tmp_path / "recorded.yaml"
    system.write_text(yaml.safe_dump({"name": "recorded", "folder": "recorded"}))
    run = evaluate(str(suite), [str(system)], out=tmp_path / "run")
    samples = run.samples().set_index("item")
    assert samples["failure"].dropna().to_dict() == EXPECTED
    assert samples.loc[list(GOOD), "sample_rate"].tolist() == [8000, 96000, 16000, 16000, 16000, 16000]
    assert samples.loc["stereo", "channels"] == 2
    assert json.loads(samples.loc["loud", "flags"]) == ["clipped"]
    assert samples.loc["loud", "peak"] == pytest.approx(1.5, abs=1e-3)
    assert samples.loc["nan", "nan_samples"] == 10
    values = run.values().set_index("item")["value"]
    # A sine of amplitude 0.5 has an RMS of 0.3536 at every rate, depth and channel count.
    for name in ("eight", "ninety-six", "stereo", "deep", "plain"):
        assert values[name] == pytest.approx(0.35355, rel=0.01), name
    cell = run.summary().iloc[0]
    assert (cell["n_scored"], cell["n_expected"]) == (len(GOOD), len(GOOD) + len(EXPECTED))
    assert json.loads(cell["failures"]) == {**dict.fromkeys(EXPECTED.values(), 1), "unreadable": 2}


def test_a_folder_is_matched_by_name_or_manifest_never_by_order(tmp_path, recordings):
    suite = suite_of(tmp_path, ["one", "two"])
    rows = [{"id": "two", "path": "eight.wav"}, {"id": "one", "path": "plain.wav"}]
    (tmp_path / "map.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    system = tmp_path / "mapped.yaml"
    system.write_text(yaml.safe_dump({"name": "mapped", "folder": "recorded", "manifest": "map.jsonl"}))
    run = evaluate(str(suite), [str(system)], out=tmp_path / "run")
    assert run.samples().set_index("item")["sample_rate"].to_dict() == {"one": 16000, "two": 8000}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": "one", "path": "../ids.yaml"}, "leaves the folder"),
        ({"id": "one"}, 'expected {"id"'),
        ({"id": "two", "path": "plain.wav"}, "stands twice"),
    ],
)
def test_a_bad_recording_manifest_is_refused_with_its_line(tmp_path, recordings, row, said):
    suite = suite_of(tmp_path, ["one", "two"])
    (tmp_path / "map.jsonl").write_text(json.dumps({"id": "two", "path": "eight.wav"}) + "\n" + json.dumps(row) + "\n")
    system = tmp_path / "mapped.yaml"
    system.write_text(yaml.safe_dump({"name": "mapped", "folder": "recorded", "manifest": "map.jsonl"}))
    with pytest.raises(InputError, match=f"map.jsonl:2: .*{said}"):
        evaluate(str(suite), [str(system)], out=tmp_path / "run")


def test_two_files_for_one_item_are_refused(tmp_path, recordings):
    soundfile.write(recordings / "plain.flac", tone(0.5), 16000)
    system = tmp_path / "recorded.yaml"
    system.write_text(yaml.safe_dump({"name": "recorded", "folder": "recorded"}))
    with pytest.raises(InputError, match="two files for item 'plain'"):
        evaluate(str(suite_of(tmp_path, ["plain"])), [str(system)], out=tmp_path / "run")


@pytest.mark.parametrize("bad", ["text.wav", "truncated.wav", "zero-bytes.wav", "nan.wav", "no-frames.wav"])
def test_a_bad_prompt_or_reference_fails_its_item_only(tmp_path, recordings, bad):
    suite = suite_of(recordings, ["good", "bad"], prompt="plain.wav", reference="plain.wav")
    rows = [json.loads(line) for line in (recordings / "ids.jsonl").read_text().splitlines()]
    rows[1].update(prompt=bad, reference=bad)
    (recordings / "ids.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = evaluate(str(suite), ["demo-sine", "reference", "noise-5db", "silence"], out=tmp_path / "run")
    failed = run.samples().set_index(["variant", "item"])["failure"]
    assert failed.xs("good", level="item").isna().all()
    assert failed.xs("bad", level="item").notna().all()
    assert failed["demo-sine", "bad"].startswith("prompt-")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "a"}\n{"id": "a"}', "items.jsonl:2: id 'a' stands twice"),
        ('{"id": "a", "txt": "x"}', "items.jsonl:1: unknown key 'txt'; allowed: id, text"),
        ('{"id": "a", "text": 5}', "items.jsonl:1: text: wrong type int"),
        ('{"id": ""}', "text 'id'"),
        ("{nonsense", "items.jsonl:1: not valid JSON"),
        ('{"id": "a", "prompt": "../../etc/passwd"}', "leaves the manifest's folder"),
        ('{"id": "a", "reference": "gone.wav"}', "items.jsonl:1: reference: no file"),
        ('{"id": "a", "duration": 0}', "items.jsonl:1: duration: 0 s is not above 0"),
        ("", "holds no item"),
    ],
)
def test_a_bad_manifest_is_refused_before_compute(tmp_path, tone_suite, line, said):
    suite = tone_suite(1)
    (suite.parent / "items.jsonl").write_text(line + "\n")
    with pytest.raises(InputError, match=said):
        evaluate(str(suite), ["demo-sine"], out=tmp_path / "run")


def test_hostile_ids_and_texts_are_harmless(tmp_path):
    ids = ["../../escape", "/etc/passwd", "a|b", "<script>alert(1)</script>", "`rm`", "sp ace", "‮right", "x" * 500]
    rows = [{"id": name, "text": f"<img src=x onerror=alert(1)> {{0.__class__}} {name[:20]}"} for name in ids]
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    suite = tmp_path / "hostile.yaml"
    spec = {"name": "hostile", "version": 1, "task": "tts", "title": "<b>T</b> | x", "metrics": ["demo_level"]}
    suite.write_text(yaml.safe_dump({**spec, "items": {"manifest": "items.jsonl"}, "notes": ["<script>bad</script>"]}))
    before = set(tmp_path.rglob("*"))
    run = evaluate(str(suite), ["demo-sine"], out=tmp_path / "deep" / "run")
    assert run.samples()["failure"].isna().all()
    new = set(tmp_path.rglob("*")) - before - {tmp_path / "deep"}
    assert all(path.is_relative_to(tmp_path / "deep" / "run") for path in new)
    report = (tmp_path / "deep" / "run" / "report.md").read_text()
    assert "<script>" not in report
    assert "<b>" not in report
    assert sorted(run.samples()["item"]) == sorted(ids)
