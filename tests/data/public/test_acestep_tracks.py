"""The recorded tracks of ACE-Step: captions from the list in their package, audio from the asset."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from calm_eval.assets import load_catalogue
from calm_eval.cli import main
from calm_eval.data.datasets.acestep import ASSET, LIST, listed
from calm_eval.errors import InputError

TEXT = """\
Words about the model, with a folder/ in them.

calm/
  one_slow.opus                        68 bpm  C major   seed 101  [acoustic]

happy/
  two.opus                             84 bpm  Bb minor  seed 202  [electronic]
  three_s5.opus                       123 bpm  F# major  seed 5    [electronic]
"""


def test_a_caption_holds_mood_style_tempo_and_key(tmp_path):
    path = tmp_path / LIST
    path.write_text(TEXT, encoding="utf-8")
    assert listed(path) == [
        (f"{path}:4", "one_slow", "calm acoustic music, 68 bpm, C major"),
        (f"{path}:7", "two", "happy electronic music, 84 bpm, Bb minor"),
        (f"{path}:8", "three_s5", "happy electronic music, 123 bpm, F# major"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("calm/\n", "\n", 4),
        ("84 bpm", "fast", 7),
        ("F# major", "F# lydian", 8),
        ("  [acoustic]", "", 4),
    ],
)
def test_a_track_that_tells_less_is_named_by_its_line(tmp_path, old, new, line):
    assert old in TEXT
    path = tmp_path / LIST
    path.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=rf"{LIST}:{line}: expected NAME.opus, bpm, key"):
        listed(path)


def test_the_asset_is_28_tracks_and_their_list_from_one_pinned_wheel():
    asset = load_catalogue()[ASSET]
    assert sorted(Path(file.name).suffix for file in asset.files) == ["", *[".opus"] * 28]
    assert asset.files[0].name == LIST
    wheels = {file.source.wheel for file in asset.files}
    assert [wheel.sha256 for wheel in wheels] == ["1b702f617250ed8ffe3dc2bba4d2105f842b6d5da08e8ff9a10110f54b7bd06a"]


def test_the_pinned_tracks_are_those_of_the_collected_clips():
    root = os.environ.get("CALM_EVAL_TEST_DATA")
    if not root:
        pytest.skip("CALM_EVAL_TEST_DATA is not set")
    rows = map(json.loads, (Path(root) / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
    clips = {Path(row["path"]).name: row["sha256"] for row in rows if row["set"] == "acestep_immich"}
    pinned = {file.name: file.sha256 for file in load_catalogue()[ASSET].files}
    assert clips
    assert clips.items() <= pinned.items()


def test_a_folder_that_names_an_unknown_asset_is_refused_by_line(tmp_path, capsys):
    path = tmp_path / "tracks.yaml"
    path.write_text("name: tracks\nfolder: asset:acestep-track\n", encoding="utf-8")
    assert main(["validate", str(path)]) == 2
    assert "tracks.yaml:2: folder: unknown asset 'acestep-track'; did you mean 'acestep-tracks'?" in (
        capsys.readouterr().err
    )
