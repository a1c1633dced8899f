"""A file whose sha256 nobody published: what is found first holds, and what is known of it is checked."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from loopback import LoopbackServer, Page

from calm_eval.assets import fetch, load_catalogue, status, weights
from calm_eval.assets.cache import asset_folder
from calm_eval.errors import InputError, UnavailableError

BODY = random.Random(7).randbytes(200_000)
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def catalogue(
    server: LoopbackServer, cache: Path, row: Callable[..., dict[str, str | int]], write_catalogue: Callable[..., Path]
) -> Path:
    server.pages["/model.bin"] = Page(BODY)
    told = row(f"{server.url}/model.bin", BODY, trust="first-use", sha256_prefix=SHA256[:8], size=180_000)
    del told["sha256"]
    return write_catalogue(told)


def refused(catalogue: Path) -> str:
    with pytest.raises(UnavailableError) as caught:
        fetch("thing", catalogue=catalogue)
    return str(caught.value)


def test_the_first_one_is_written_down_and_holds(server: LoopbackServer, catalogue: Path) -> None:
    assert status("thing", catalogue=catalogue) == "missing"
    with pytest.raises(UnavailableError, match="not known before it is there"):
        weights("thing", catalogue=catalogue)
    folder = fetch("thing", catalogue=catalogue)
    assert weights("thing", catalogue=catalogue) == {"model.bin": SHA256}
    assert (folder / "model.bin.sha256").read_text() == f"{SHA256}\n"
    assert sorted(path.name for path in folder.iterdir()) == ["model.bin", "model.bin.sha256"]
    server.pages.clear()
    assert fetch("thing", catalogue=catalogue) == folder
    (folder / "model.bin").write_bytes(BODY[::-1])
    assert status("thing", catalogue=catalogue) == "damaged"
    assert f"expected {SHA256}" in refused(catalogue)


def test_another_file_than_the_known_beginning_is_not_kept(server: LoopbackServer, catalogue: Path) -> None:
    server.pages["/model.bin"] = Page(BODY[::-1])
    message = refused(catalogue)
    assert f"expected {SHA256[:8]}..." in message
    assert f"or copy the file (about 0 MB, sha256 {SHA256[:8]}...) to " in message
    assert list(asset_folder(load_catalogue(catalogue)["thing"]).iterdir()) == []


def test_a_cut_download_goes_on_and_a_page_is_no_file(server: LoopbackServer, catalogue: Path) -> None:
    server.pages["/model.bin"] = Page(BODY, cut_after=50_000)
    assert "was cut after 50000 of 200000 bytes" in refused(catalogue)
    server.pages["/model.bin"] = Page(b"<html>sign in</html>", content_type="text/html")
    assert "probably a login page" in refused(catalogue)
    server.pages["/model.bin"] = Page(BODY)
    assert (fetch("thing", catalogue=catalogue) / "model.bin").read_bytes() == BODY
    assert server.seen[-1].headers["Range"] == "bytes=50000-"


def test_length_has_to_be_told_and_about_right(server: LoopbackServer, catalogue: Path) -> None:
    server.pages["/model.bin"] = Page(BODY, send_length=False)
    assert "does not say how long the file is" in refused(catalogue)
    server.pages["/model.bin"] = Page(BODY + bytes(70_001))
    assert "sends more than the 270000 bytes" in refused(catalogue)
    assert status("thing", catalogue=catalogue) == "missing"


def test_a_file_copied_by_hand_is_taken_as_the_first(server: LoopbackServer, catalogue: Path) -> None:
    server.pages.clear()
    folder = asset_folder(load_catalogue(catalogue)["thing"])
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(BODY)
    assert status("thing", catalogue=catalogue) == "missing"
    assert fetch("thing", catalogue=catalogue) == folder
    assert weights("thing", catalogue=catalogue) == {"model.bin": SHA256}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trust": "always"}, "'trust' is"),
        ({"sha256": SHA256}, "without a 'sha256'"),
        ({"sha256_prefix": "XY"}, "lower-case hex digits"),
        ({"name": "model.sha256"}, "may not end in .sha256"),
    ],
)
def test_rows_that_are_refused(cache: Path, row, write_catalogue, changes, said) -> None:
    told = row("https://example.org/model.bin", BODY, trust="first-use", sha256_prefix="ab")
    del told["sha256"]
    with pytest.raises(InputError, match=said):
        load_catalogue(write_catalogue(told | changes))
    pinned = row("https://example.org/model.bin", BODY, sha256_prefix="ab")
    with pytest.raises(InputError, match="goes only with trust"):
        load_catalogue(write_catalogue(pinned))
