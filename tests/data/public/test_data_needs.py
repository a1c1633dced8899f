"""What a suite needs, says and expects of its data."""

from __future__ import annotations

import hashlib
import json

import pytest

from calm_eval.data.datasets.expected import ids_digest
from calm_eval.data.datasets.root import data_root
from calm_eval.errors import InputError, UnavailableError

DIGEST = hashlib.sha256(b"a\nb").hexdigest()


def data(**changes):
    part = {
        "name": "two captions",
        "where": "a shelf, second from above",
        "put": "small/two.csv",
        "licence": "CC0",
    }
    return {"data": {"parts": [part], "items": 2, "ids_digest": DIGEST, **changes}}


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A data root with the two captions."""
    folder = tmp_path / "root"
    (folder / "small").mkdir(parents=True)
    (folder / "small/two.csv").write_text("id,caption\nb,two\na,one\n")
    monkeypatch.setenv("CALM_EVAL_DATA", str(folder))
    return folder


def test_the_root_is_a_variable_or_lies_in_the_cache(tmp_path, monkeypatch):
    assert data_root() == tmp_path / "cache" / "data"
    monkeypatch.setenv("CALM_EVAL_DATA", "~/music")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_root() == tmp_path / "music"


def test_what_is_missing_is_told_before_anything_is_read(read, tmp_path, monkeypatch):
    monkeypatch.setenv("CALM_EVAL_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(UnavailableError) as caught:
        read("captions_csv", data(), table="not even a path: \0")
    told = str(caught.value)
    for part in (
        "suite 'small'",
        "two captions",
        "a shelf, second from above",
        str(tmp_path / "nowhere/small/two.csv"),
        "CC0",
        "2 items",
        DIGEST,
        "CALM_EVAL_DATA",
    ):
        assert part in told
    assert caught.value.exit_code == 4


def test_only_what_is_missing_is_asked_for_and_an_empty_folder_is(read, root):
    parts = [*data()["data"]["parts"], {"name": "sound", "where": "w", "put": "audio", "licence": "l"}]
    (root / "audio").mkdir()
    with pytest.raises(UnavailableError) as caught:
        read("captions_csv", data(parts=parts, items=None, ids_digest=None), table="small/two.csv")
    told = str(caught.value)
    assert "a shelf" not in told
    assert "already there: two captions" in told
    assert "number of items not known: recorded on first use" in told
    (root / "audio/a.wav").touch()
    assert len(read("captions_csv", data(parts=parts), table="small/two.csv")) == 2


def test_the_right_ids_pass_in_any_order(read, root):
    assert ids_digest(["b", "a"]) == DIGEST
    assert [item.id for item in read("captions_csv", data(), table="small/two.csv")] == ["b", "a"]


def test_a_wrong_count_or_wrong_ids_name_both(read, root):
    with pytest.raises(InputError, match=r"number of items: found 2, expected 3 .*a suite of its own"):
        read("captions_csv", data(items=3), table="small/two.csv")
    with pytest.raises(InputError, match=rf"sha256 of the sorted ids: found {DIGEST}, expected {'0' * 64}"):
        read("captions_csv", data(ids_digest="0" * 64), table="small/two.csv")


def test_what_is_not_known_is_recorded_once_and_then_held_to(read, root, tmp_path):
    loose = data(items=None, ids_digest=None)
    read("captions_csv", loose, table="small/two.csv")
    record = tmp_path / "cache/datasets/small-v1.json"
    assert json.loads(record.read_text()) == {"items": 2, "ids_digest": DIGEST}
    read("captions_csv", loose, table="small/two.csv")
    (root / "small/two.csv").write_text("id,caption\na,one\n")
    with pytest.raises(InputError, match=rf"found 1, on first use it was 2; .* delete {record}"):
        read("captions_csv", loose, table="small/two.csv")
    record.unlink()
    assert len(read("captions_csv", loose, table="small/two.csv")) == 1


def test_ids_are_counted_before_audio_is_opened(read, root):
    (root / "a.wav").write_bytes(b"no audio")
    (root / "small/two.csv").write_text("id,caption\na,one\n")
    options = {"table": "small/two.csv", "audio": ".", "file": "{id}.wav"}
    with pytest.raises(InputError, match="found 1, expected 2"):
        read("captions_csv", data(), **options)
    with pytest.raises(InputError, match="not readable as audio"):
        read("captions_csv", data(items=1, ids_digest=None), **options)


@pytest.mark.parametrize(
    ("suite", "said"),
    [
        ({"items": {"manifest": "x"}, **data()}, "'data' belongs to 'items.dataset'"),
        (data(parts=[]), "data.parts: .*at least 1"),
        (
            data(parts=[{"name": "n", "where": "w", "licence": "l", "put": "../x"}]),
            "'../x' is no path below the data root",
        ),
        (data(parts=[{"name": "n", "where": "w"}]), "key 'licence' is missing"),
        (data(ids_digest="abc"), "data.ids_digest: .*pattern"),
        ({"reference_set": {"items": False}}, "reference_set.items: .*True"),
        ({"items": {"dataset": {"loader": "x"}, "folder": "."}}, "exactly one of .* and 'dataset'"),
    ],
)
def test_a_wrong_block_is_refused_with_its_line(read, suite, said):
    with pytest.raises(InputError, match=rf"small.yaml:\d+: .*{said}"):
        read("captions_csv", suite, table="x.csv")


def test_a_loader_that_is_none(read):
    with pytest.raises(InputError, match="unknown datasets 'captions'; did you mean 'captions_csv'"):
        read("captions")
