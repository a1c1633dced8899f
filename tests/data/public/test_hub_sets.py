"""Data sets of the Hugging Face package, saved to disk; without the package, what a user is told."""

from __future__ import annotations

import importlib.util
import json

import pytest

from calm_eval.audio.read import read_sound
from calm_eval.data.manifest import file_identity
from calm_eval.errors import InputError, UnavailableError

INSTALLED = importlib.util.find_spec("datasets") is not None
needs_package = pytest.mark.skipif(not INSTALLED, reason="the package datasets is not installed")


@pytest.mark.skipif(INSTALLED, reason="the package datasets is installed")
def test_without_the_package_the_user_is_told_what_to_install(read):
    with pytest.raises(UnavailableError, match=r"needs the package datasets: pip install datasets"):
        read("hf", dataset="someone/something", split="test")


@pytest.mark.skipif(INSTALLED, reason="the package datasets is installed")
def test_a_folder_called_datasets_is_not_the_package(read, tmp_path, monkeypatch):
    (tmp_path / "path/datasets").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / "path"))
    with pytest.raises(UnavailableError, match="another module of that name"):
        read("hf", dataset="someone/something", split="test")


def test_one_source(read):
    for options in ({}, {"dataset": "a/b", "folder": "c"}):
        with pytest.raises(InputError, match=r"exactly one of the options 'dataset' .* and 'folder'"):
            read("hf", split="test", **options)


@pytest.fixture
def saved(place, speech):
    """Four utterances as a saved data set: two by path, two with their bytes inside."""
    datasets, arrow = pytest.importorskip("datasets"), pytest.importorskip("pyarrow")
    clips = speech[:4]
    sounds = [{"bytes": None, "path": str(clip.path)} for clip in clips[:2]]
    sounds += [{"bytes": clip.path.read_bytes(), "path": f"{clip.id}.flac"} for clip in clips[2:]]
    kinds = {"number": "int64", "said": "string"}
    features = {name: {"dtype": kind, "_type": "Value"} for name, kind in kinds.items()}
    features["sound"] = {"_type": "Audio"}
    kept = arrow.struct({"bytes": arrow.binary(), "path": arrow.string()})
    table = arrow.table(
        {
            "number": [1, 2, 3, 4],
            "said": [f"“{clip.text}”\n" for clip in clips],
            "sound": arrow.array(sounds, type=kept),
        }
    ).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    rows = datasets.Dataset(table, fingerprint="four")
    datasets.DatasetDict({"test": rows}).save_to_disk(str(place / "saved"))
    return clips


@needs_package
def test_rows_of_a_saved_set(read, saved):
    items = read("hf", folder="saved", split="test", id="number", text="said", audio="sound")
    assert [item.id for item in items] == ["1", "2", "3", "4"]
    assert [item.text for item in items] == [f"“{clip.text}”\n" for clip in saved]
    for item, clip in zip(items, saved, strict=True):
        assert item.reference.identity == file_identity(clip.path)
        assert read_sound(item.reference.path).seconds == pytest.approx(clip.seconds, abs=1e-3)


@needs_package
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"split": "train"}, "there is no split 'train'; there are: test"),
        ({"id": "name"}, "there is no column 'name'; there are: number, said, sound"),
        ({"audio": "said"}, "column 'said' holds no audio"),
        ({"duration": "said"}, "row 1: duration: expected seconds"),
    ],
)
def test_a_wrong_split_or_column(read, saved, options, said):
    with pytest.raises(InputError, match=said):
        read("hf", **{"folder": "saved", "split": "test", "id": "number", "text": "said", "audio": "sound", **options})


@needs_package
def test_a_set_that_is_not_there(read):
    with pytest.raises(UnavailableError, match="cannot read the dataset nowhere"):
        read("hf", folder="nowhere", split="test")
