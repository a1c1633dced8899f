"""Captions in CSV and JSON tables beside a folder of audio."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from calm_eval.data.load import reference_set
from calm_eval.data.manifest import file_identity
from calm_eval.errors import InputError
from calm_eval.specs.suite import load_suite

HARD = (
    'A "live" take, with crowd',
    "two lines\nof caption, and\r\na third",
    "Ça: naïve – “日本” 🎺",
    " spaces at the ends ",
    "semi;colon\tand tab",
)
"""Captions with quotes, commas, line breaks and letters beyond ASCII."""

MUSICCAPS = {"table": "captions.csv", "id": "{ytid}", "audio": "audio", "file": "{ytid}.flac"}


@pytest.fixture
def musiccaps(place, sounds):
    """A table in MusicCaps' columns over five real recordings, written by the csv module."""
    (place / "audio").mkdir()
    for clip in sounds:
        (place / "audio" / f"{clip.id}.flac").symlink_to(clip.path)
    with (place / "captions.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["ytid", "start_s", "end_s", "aspect_list", "caption"])
        for clip, caption in zip(sounds, HARD, strict=False):
            writer.writerow([clip.id, 30, 40.5, "['a', 'b']", caption])
    return place / "captions.csv"


def test_captions_come_as_they_were_written(read, musiccaps, sounds):
    items = read("captions_csv", **MUSICCAPS, duration="{end_s}-{start_s}")
    assert [item.id for item in items] == [clip.id for clip in sounds[:5]]
    assert [item.text for item in items] == [caption.strip() for caption in HARD]
    assert {item.duration for item in items} == {10.5}
    assert [item.reference.identity for item in items] == [file_identity(clip.path) for clip in sounds[:5]]


def test_a_shuffled_table_gives_the_same_items_in_its_order(read, musiccaps):
    before = read("captions_csv", **MUSICCAPS)
    with musiccaps.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    with musiccaps.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *reversed(rows)])
    after = read("captions_csv", **MUSICCAPS)
    assert [item.id for item in after] == [item.id for item in reversed(before)]
    assert {item.digest("text_to_music") for item in after} == {item.digest("text_to_music") for item in before}


def test_several_captions_of_one_recording(read, place, music):
    """Song Describer's columns: the file's name is made of a path, and the reference set has each recording once."""
    (place / "audio/34").mkdir(parents=True)
    rows = ["caption_id,track_id,caption,is_valid_subset,path,duration"]
    for number, clip in enumerate(music[:2]):
        (place / "audio/34" / f"{number}.2min.mp3").symlink_to(clip.path)
        rows += [f'{number}{turn},{number},"one, {turn}",{turn == 0},34/{number}.mp3,{clip.seconds}' for turn in (0, 1)]
    (place / "songs.csv").write_text("\n".join(rows) + "\n")
    options = {"table": "songs.csv", "audio": "audio", "file": "{path:bare}.2min.mp3"}
    every = read("captions_csv", {"reference_set": {"items": True}}, id="{caption_id}", **options)
    assert [item.id for item in every] == ["00", "01", "10", "11"]
    clips = reference_set(load_suite(str(place / "small.yaml")))
    assert [clip.id for clip in clips] == ["00", "10"]
    valid = read("captions_csv", id="{caption_id}", only="is_valid_subset=True", duration="{duration}", **options)
    assert [(item.id, item.duration) for item in valid] == [("00", music[0].seconds), ("10", music[1].seconds)]
    tracks = read("captions_csv", id="{track_id}", first_of="track_id", prompt_seconds=10.0, **options)
    assert [item.id for item in tracks] == ["0", "1"]
    assert [item.duration for item in tracks] == pytest.approx([clip.seconds - 10 for clip in music[:2]], abs=0.01)
    assert {item.text for item in tracks} == {None}


def test_a_json_table_with_paths_of_another_machine(read, place, write_tone):
    write_tone("audio/Yabc.wav")
    told = {"data": [{"wav": "/far/away/Yabc.wav", "labels": "/m/1", "caption": "a dog, “barking”"}]}
    (place / "list.json").write_text(json.dumps(told))
    item = read("captions_csv", table="list.json", id="{wav:stem}", audio="audio", file="{wav:name}", seconds=10)[0]
    assert (item.id, item.text, item.duration) == ("Yabc", "a dog, “barking”", 10.0)


def test_texts_alone(read, place):
    (place / "captions.csv").write_text("id,caption\na,one\nb,two\n")
    assert [(item.id, item.text, item.reference) for item in read("captions_csv", table="captions.csv")] == [
        ("a", "one", None),
        ("b", "two", None),
    ]
    with pytest.raises(InputError, match=r"captions.csv:2: 'a' has no audio to cut"):
        read("captions_csv", table="captions.csv", prompt_seconds=1.0)


def test_the_published_tables_are_read_whole(read, place):
    """Song Describer and MusicCaps as they are published: counts are those of csv.DictReader."""
    root = os.environ.get("CALM_EVAL_TEST_DATA")
    if not root:
        pytest.skip("CALM_EVAL_TEST_DATA is not set")
    for name, column, count in (("song_describer", "caption_id", 1106), ("musiccaps_200", "ytid", 200)):
        source = Path(root) / "prompts" / f"{name}.csv"
        (place / f"{name}.csv").symlink_to(source)
        items = read("captions_csv", table=f"{name}.csv", id=f"{{{column}}}")
        with source.open(encoding="utf-8", newline="") as file:
            told = {row[column]: row["caption"].strip() for row in csv.DictReader(file)}
        assert len(told) == count
        assert {item.id: item.text for item in items} == told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,caption\na,one\na,two\n", r"captions.csv:3: id 'a' stands twice \(first in .*captions.csv:2\)"),
        ('id,caption\na,"one\nand two"\na,three\n', r"captions.csv:4: id 'a' stands twice"),
        ("id,caption\na,one\nb,two\n", r"captions.csv:3: no file '.*b.wav' for 'b'"),
        (
            "id,caption\na,one\nb,2\nc,3\n",
            r"captions.csv:3: no file '.*b.wav' for 'b' \(2 files of 3 rows are missing\)",
        ),
        ("id,caption\na\n", r"captions.csv:2: 1 cells under 2 columns \(id, caption\)"),
        ("id,caption\na,one, two\n", r"captions.csv:2: 3 cells under 2 columns"),
        ("id,caption\na,\n", r"captions.csv:2: column 'caption' is empty"),
        ("id,text\na,one\n", r"captions.csv:2: there is no column 'caption' for '{caption}'; there are: id, text"),
        ("id,id\na,one\n", r"captions.csv:1: a column stands twice"),
        ('id,caption\na,"one\n', r"captions.csv:2: not valid CSV: unexpected end of data"),
        ("id,caption\n../a,one\n", r"captions.csv:2: '../a.wav' leaves"),
        ("id,caption\n", r"holds no item"),
        ("", r"holds no item"),
    ],
)
def test_a_broken_table(read, place, write_tone, text, said):
    write_tone("audio/a.wav")
    (place / "captions.csv").write_text(text)
    with pytest.raises(InputError, match=said):
        read("captions_csv", table="captions.csv", audio="audio", file="{id}.wav")


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("0", "0 s is not above 0"),
        ("-1", "-1 s is not"),
        ("nan", "nan s is not"),
        ("1e9", "ten hours"),
        ("x", "got 'x'"),
    ],
)
def test_a_duration_that_is_none(read, place, cell, said):
    (place / "captions.csv").write_text(f"id,caption,end,start\na,one,{cell},0\n")
    with pytest.raises(InputError, match=f"captions.csv:2: duration: .*{said}"):
        read("captions_csv", table="captions.csv", duration="{end}")
    with pytest.raises(InputError, match=r"captions.csv:2: duration: "):
        read("captions_csv", table="captions.csv", duration="{end}-{start}")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"audio": "audio"}, "'audio' and 'file' go together"),
        ({"only": "caption"}, "'caption' is not of the form column=value"),
        ({"only": "kind=x"}, r"captions.csv:2: there is no column 'kind'"),
        ({"id": "{id:tail}"}, "unknown part 'tail' of a column; known: name, stem, bare"),
        (
            {"caption": "x"},
            r"small.yaml: items.dataset: loader 'captions_csv': .*'caption'; its options: table, id, text",
        ),
        ({"seconds": 0}, r"small.yaml: items.dataset: option 'seconds': 0 is no length in seconds above 0"),
    ],
)
def test_wrong_options(read, place, options, said):
    (place / "captions.csv").write_text("id,caption\na,one\n")
    with pytest.raises(InputError, match=said):
        read("captions_csv", table="captions.csv", **options)


def test_bytes_that_are_no_text(read, place):
    (place / "captions.csv").write_bytes(b"id,caption\na,\xff\xfe\n")
    with pytest.raises(InputError, match="cannot be read as UTF-8 text"):
        read("captions_csv", table="captions.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read("captions_csv", table="nothing.csv")
