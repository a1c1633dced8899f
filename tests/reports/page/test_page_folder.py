"""What a page's folder holds: every sample, its sound, its numbers, and text that stays text."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import soundfile
from PIL import Image

from calm_eval.audio.clip import Clip
from calm_eval.cli import main
from calm_eval.reports.page.make import write_page
from calm_eval.reports.page.sounds import encode_mp3, peaks, spectrogram
from calm_eval.reports.page.wish import PageWish
from calm_eval.reports.page.words import aligned


def read(folder, name="suite-0"):
    text = (folder / "data" / f"{name}.js").read_text(encoding="ascii")
    assert text.startswith("window.calmEval.add(")
    return json.loads(text.removeprefix("window.calmEval.add(").rstrip().removesuffix(");"))


def test_everything_of_a_run_is_in_its_page(hostile_run, tmp_path) -> None:
    page = write_page(hostile_run, tmp_path / "page", PageWish())
    data = read(page.folder)
    assert page.samples == len(data["samples"]) == 6 * 3 * 2
    assert [row["name"] for row in data["rows"]] == ["one", "two", "reference"]
    values = hostile_run.values()
    for sample in data["samples"]:
        mine = values[
            (values["variant"] == sample["row"])
            & (values["item"] == sample["item"])
            & (values["seed"] == sample["seed"])
        ].set_index("metric")
        for metric in data["metrics"]:
            value = mine["value"].get(metric["name"])
            if value is not None and value == value:
                assert sample["values"][metric["key"]] == pytest.approx(value * metric["scale"])
    failed = [one for one in data["samples"] if one["failure"]]
    assert {(one["row"], one["item"], one["why"]) for one in failed} == {("two", "item-3", "it <i>broke</i>")}
    summary = hostile_run.summary().set_index(["variant", "fingerprint"])["value"]
    shown = {(row, key): value for row, key, value, _, _ in data["cells"]}
    for (variant, fingerprint), value in summary.items():
        scale = next(one["scale"] for one in data["metrics"] if one["key"] == fingerprint[:12])
        found = shown[variant, fingerprint[:12]]
        assert (found is None) == (value != value)
        assert found is None or found == pytest.approx(value * scale)


def test_a_continuation_is_heard_behind_its_prompt(hostile_run, tmp_path) -> None:
    folder = write_page(hostile_run, tmp_path / "page", PageWish(encoding="flac")).folder
    data = read(folder)
    sample = next(one for one in data["samples"] if one["row"] == "one")
    prompt = next(one for one in data["items"] if one["id"] == sample["item"])["prompt"]
    heard, rate = soundfile.read(folder / sample["sound"]["src"])
    before, _ = soundfile.read(folder / prompt["src"])
    assert sample["sound"]["boundary"] == pytest.approx(len(before) / rate, abs=1e-3)
    assert np.array_equal(heard[: len(before)], before)
    assert len(heard) - len(before) == 8000


def test_a_reference_that_is_gone_is_named(hostile_run, tmp_path) -> None:
    first = next(iter(hostile_run.items("tones")))
    first.reference.path.unlink()
    data = read(write_page(hostile_run, tmp_path / "page", PageWish()).folder)
    item = next(one for one in data["items"] if one["id"] == first.id)
    assert item["reference"] == {"gone": first.reference.path.name}
    assert "src" in item["prompt"]


def test_every_named_file_is_there_and_none_is_twice(hostile_run, tmp_path) -> None:
    page = write_page(hostile_run, tmp_path / "page", PageWish())
    text = (page.folder / "data" / "suite-0.js").read_text()
    named = set(re.findall(r'"((?:audio|pictures)/[^"]+)"', text))
    assert named == {
        path.relative_to(page.folder).as_posix()
        for part in ("audio", "pictures")
        for path in (page.folder / part).rglob("*.*")
    }
    assert len(named) == 2 * page.sounds


def test_hostile_text_is_data_and_no_markup(hostile_run, tmp_path) -> None:
    folder = write_page(hostile_run, tmp_path / "page", PageWish()).folder
    index = (folder / "index.html").read_text()
    assert "<script>document" not in index
    assert index.count("<script") == 1 + 1 + 1 + 6  # its own, one suite, the library, six scripts
    assert "Tones <script>" not in index
    assert not re.search(r"https?://|//[a-z]", index)


def test_fewer_items_rows_and_seeds_and_made_again(hostile_run, tmp_path) -> None:
    wish = PageWish(items=2, rows=("o*", "reference"), seeds=1)
    first = write_page(hostile_run, tmp_path / "page", PageWish())
    again = write_page(hostile_run, tmp_path / "page", wish)
    assert (again.samples, len(read(again.folder)["items"])) == (4, 2)
    assert again.sounds < first.sounds
    fresh = write_page(hostile_run, tmp_path / "fresh", wish)
    assert {path.relative_to(fresh.folder) for path in fresh.folder.rglob("*")} == {
        path.relative_to(again.folder) for path in again.folder.rglob("*") if path.is_file() or any(path.iterdir())
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--suite", "other"], "no suite 'other'"),
        (["--rows", "nobody"], "no row 'nobody' in tones; rows: one, two, reference"),
        (["--items", "0"], "--items 0: must be above 0"),
    ],
)
def test_wrong_words_exit_2(hostile_run, capsys, words, said) -> None:
    assert main(["page", str(hostile_run.folder), *words]) == 2
    assert said in capsys.readouterr().err


def test_a_folder_of_something_else_is_left_alone(hostile_run, tmp_path, capsys) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    assert main(["page", str(hostile_run.folder), "--out", str(tmp_path / "mine")]) == 2
    assert "holds something that is no page" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_words_are_aligned_as_for_the_error_rate() -> None:
    assert aligned("the cat sat on a mat", "The cat sat in a big mat.") == [
        ("equal", "the cat sat", "the cat sat"),
        ("substitute", "on", "in"),
        ("equal", "a", "a"),
        ("insert", "", "big"),
        ("equal", "mat", "mat"),
    ]
    assert aligned("asked words", "") == [("delete", "asked words", "")]
    assert aligned("", "") == []


def test_a_waveform_is_the_peak_of_each_two_hundredth() -> None:
    import base64

    samples = np.zeros(20000, dtype=np.float32)
    samples[150] = -0.5  # the second of 200 parts of 100 samples
    samples[19999] = 2.0
    heights = base64.b64decode(peaks(samples))
    assert len(heights) == 200
    assert {place: height for place, height in enumerate(heights) if height} == {1: 127, 199: 255}


def test_a_spectrogram_shows_a_tone_where_it_is(tmp_path) -> None:
    """1 kHz lies in the 15th of 45 mels to 8 kHz on Slaney's scale, so a third up; silence is white."""
    tone = Clip((0.5 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)).astype(np.float32)[None], 16000)
    (tmp_path / "tone.png").write_bytes(spectrogram(tone))
    picture = np.asarray(Image.open(tmp_path / "tone.png"))
    assert picture.shape == (64, 320)
    row = int(np.argmin(picture[:, 100:200].mean(axis=1)))
    assert (63 - row) / 63 == pytest.approx(15 / 45.245, abs=0.03)
    (tmp_path / "none.png").write_bytes(spectrogram(Clip(np.zeros((1, 16000), dtype=np.float32), 16000)))
    assert np.asarray(Image.open(tmp_path / "none.png")).min() == 255


@pytest.mark.parametrize("rate", [16000, 22050, 24000, 12500, 96000])
def test_mp3_is_the_same_sound(tmp_path, rate) -> None:
    samples = (0.4 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)).astype(np.float32)
    (tmp_path / "x.mp3").write_bytes(encode_mp3(Clip(samples[None], rate)))
    heard, at = soundfile.read(tmp_path / "x.mp3")
    assert len(heard) / at == pytest.approx(2.0, abs=0.15)
    middle = heard[at // 2 : at // 2 + at]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * at / len(middle) == pytest.approx(440, abs=1.5)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.4 / np.sqrt(2), rel=0.02)
