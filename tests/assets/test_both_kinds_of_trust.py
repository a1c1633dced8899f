"""What must hold whether a file's sha256 is published, its first digits are, or nothing is: each case for all three."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from loopback import LoopbackServer, Page

from calm_eval.assets import fetch, load_catalogue, status, weights
from calm_eval.assets.cache import asset_folder
from calm_eval.assets.first_use import LEAST
from calm_eval.errors import UnavailableError

BODY = random.Random(11).randbytes(200_000)
SHA256 = hashlib.sha256(BODY).hexdigest()
LOGIN = b"<html>sign in</html>"
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{SHA256}\nsize 200000\n".encode()


@pytest.fixture(params=["published", "beginning", "nothing"])
def catalogue(
    request: pytest.FixtureRequest,
    server: LoopbackServer,
    cache: Path,
    row: Callable[..., dict[str, str | int]],
    write_catalogue: Callable[..., Path],
) -> Path:
    server.pages["/model.bin"] = Page(BODY)
    told = row(f"{server.url}/model.bin", BODY)
    if request.param != "published":
        del told["sha256"]
        told |= {"trust": "first-use", "size": 180_000}
    if request.param == "beginning":
        told["sha256_prefix"] = SHA256[:8]
    return write_catalogue(told)


@pytest.fixture
def final(catalogue: Path) -> Path:
    """Where the file is, once it is whole and known."""
    return asset_folder(load_catalogue(catalogue)["thing"]) / "model.bin"


def refused(catalogue: Path, final: Path) -> str:
    """What is said of a failed fetch, which names the asset and the next step and leaves nothing to be used."""
    with pytest.raises(UnavailableError) as caught:
        fetch("thing", catalogue=catalogue)
    assert caught.value.exit_code == 4
    message = str(caught.value)
    assert "cannot fetch asset 'thing'" in message
    assert "Run `calm-eval assets fetch thing`" in message
    assert message.endswith(str(final))
    assert status("thing", catalogue=catalogue) == "missing"
    assert {path.name for path in final.parent.iterdir()} <= {"model.bin.part"}
    return message


def test_a_cut_download_is_not_used_and_goes_on(server: LoopbackServer, catalogue: Path, final: Path) -> None:
    server.pages["/model.bin"] = Page(BODY, cut_after=70_000)
    assert "was cut after 70000 of 200000 bytes; run it again" in refused(catalogue, final)
    server.pages["/model.bin"] = Page(BODY)
    fetch("thing", catalogue=catalogue)
    assert final.read_bytes() == BODY
    assert (server.seen[-1].headers["Range"], server.seen[-1].status) == ("bytes=70000-", 206)
    assert weights("thing", catalogue=catalogue) == {"model.bin": SHA256}


@pytest.mark.parametrize("ranges", ["ignored", "refused"])
def test_a_server_without_ranges_starts_again(
    ranges: str, server: LoopbackServer, catalogue: Path, final: Path
) -> None:
    server.pages["/model.bin"] = Page(BODY, cut_after=70_000)
    refused(catalogue, final)
    server.pages["/model.bin"] = Page(BODY, ranges=ranges)
    fetch("thing", catalogue=catalogue)
    assert final.read_bytes() == BODY


def test_a_process_that_died_with_all_bytes_loses_nothing(server: LoopbackServer, catalogue: Path, final: Path) -> None:
    final.parent.mkdir(parents=True)
    final.with_name("model.bin.part").write_bytes(BODY)
    fetch("thing", catalogue=catalogue)
    assert final.read_bytes() == BODY
    assert not final.with_name("model.bin.part").exists()


@pytest.mark.parametrize("start", [0, 70_000])
def test_a_redirect_to_a_login_page_is_no_file(
    start: int, server: LoopbackServer, catalogue: Path, final: Path
) -> None:
    part = final.with_name("model.bin.part")
    if start:
        part.parent.mkdir(parents=True)
        part.write_bytes(BODY[:start])
    server.pages["/model.bin"] = Page(redirect="/login")
    server.pages["/login"] = Page(LOGIN, content_type="text/html", ranges="ignored")
    assert "probably a login page" in refused(catalogue, final)
    assert [one.status for one in server.seen] == [302, 200]
    assert (part.stat().st_size if part.exists() else 0) == start


@pytest.mark.parametrize("body", [LOGIN, POINTER, b""], ids=["page", "pointer", "empty"])
def test_a_small_answer_under_another_type_is_no_file(
    body: bytes, server: LoopbackServer, catalogue: Path, final: Path
) -> None:
    server.pages["/model.bin"] = Page(body)
    assert "nothing of it was kept" in refused(catalogue, final)
    assert list(final.parent.iterdir()) == []


def test_a_small_file_copied_by_hand_is_no_file_either(server: LoopbackServer, catalogue: Path, final: Path) -> None:
    server.pages.clear()
    final.parent.mkdir(parents=True)
    final.write_bytes(POINTER)
    with pytest.raises(UnavailableError, match=r"where about 180000 are expected|is damaged"):
        fetch("thing", catalogue=catalogue)
    with pytest.raises(UnavailableError):
        fetch("thing", catalogue=catalogue)


def test_what_was_fetched_is_used_without_a_network(server: LoopbackServer, catalogue: Path, final: Path) -> None:
    folder = fetch("thing", catalogue=catalogue)
    server.pages.clear()
    asked = len(server.seen)
    assert fetch("thing", catalogue=catalogue) == folder == final.parent
    assert status("thing", catalogue=catalogue) == "present"
    assert weights("thing", catalogue=catalogue) == {"model.bin": SHA256}
    assert len(server.seen) == asked


def test_other_bytes_later_are_damage_and_nothing_is_fetched_over_them(
    server: LoopbackServer, catalogue: Path, final: Path
) -> None:
    fetch("thing", catalogue=catalogue)
    asked = len(server.seen)
    final.write_bytes(BODY[:100_000])
    assert status("thing", catalogue=catalogue) == "damaged"
    with pytest.raises(UnavailableError, match=f"expected {SHA256}; delete that file and run") as caught:
        fetch("thing", catalogue=catalogue)
    assert str(final) in str(caught.value)
    assert len(server.seen) == asked


def test_about_right_leaves_room(catalogue: Path) -> None:
    (file,) = load_catalogue(catalogue)["thing"].files
    assert LEAST * file.size < len(BODY)
