from __future__ import annotations

import fcntl
import hashlib
import os
import pty
import random
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from loopback import LoopbackServer, Page

from calm_eval.assets import fetch, load_catalogue, status
from calm_eval.assets.cache import asset_folder
from calm_eval.errors import UnavailableError

BODY = random.Random(1).randbytes(300_000)
FETCH = "import sys; from pathlib import Path; from calm_eval.assets import fetch; "
FETCH += "print(fetch('thing', catalogue=Path(sys.argv[1])))"


@pytest.fixture
def catalogue(
    server: LoopbackServer, cache: Path, row: Callable[..., dict[str, str | int]], write_catalogue: Callable[..., Path]
) -> Path:
    server.pages["/model.bin"] = Page(BODY)
    return write_catalogue(row(f"{server.url}/model.bin", BODY))


@pytest.fixture
def part(catalogue: Path) -> Path:
    """Where an unfinished download of the asset lies."""
    return asset_folder(load_catalogue(catalogue)["thing"]) / "model.bin.part"


def refused(catalogue: Path) -> str:
    with pytest.raises(UnavailableError) as caught:
        fetch("thing", catalogue=catalogue)
    assert caught.value.exit_code == 4
    assert status("thing", catalogue=catalogue) == "missing"
    return str(caught.value)


def test_fetch_downloads_once_and_is_offline_afterwards(server: LoopbackServer, catalogue: Path, cache: Path) -> None:
    assert status("thing", catalogue=catalogue) == "missing"
    folder = fetch("thing", catalogue=catalogue)
    assert folder.is_relative_to(cache / "assets" / "thing")
    assert [path.name for path in folder.iterdir()] == ["model.bin"]
    assert (folder / "model.bin").read_bytes() == BODY
    assert fetch("thing", catalogue=catalogue) == folder
    assert len(server.seen) == 1
    server.close = lambda: None  # type: ignore[method-assign]
    LoopbackServer.close(server)
    assert fetch("thing", catalogue=catalogue) == folder


def test_a_cut_connection_keeps_the_part_and_resumes(server: LoopbackServer, catalogue: Path, part: Path) -> None:
    server.pages["/model.bin"] = Page(BODY, cut_after=100_000)
    message = refused(catalogue)
    assert "was cut after 100000 of 300000 bytes; run it again, it resumes from there" in message
    assert part.stat().st_size == 100_000
    server.pages["/model.bin"] = Page(BODY)
    folder = fetch("thing", catalogue=catalogue)
    assert (folder / "model.bin").read_bytes() == BODY
    assert server.seen[1].headers["Range"] == "bytes=100000-"
    assert server.seen[1].status == 206
    assert not part.exists()


def test_a_cut_without_a_length_is_noticed(server: LoopbackServer, catalogue: Path, part: Path) -> None:
    server.pages["/model.bin"] = Page(BODY, cut_after=100_000, send_length=False)
    assert "was cut after 100000" in refused(catalogue)
    assert part.stat().st_size == 100_000


@pytest.mark.parametrize(("ranges", "statuses"), [("ignored", [200]), ("refused", [416, 200])])
def test_a_server_without_ranges_starts_again(
    ranges: str, statuses: list[int], server: LoopbackServer, catalogue: Path, part: Path
) -> None:
    part.parent.mkdir(parents=True)
    part.write_bytes(BODY[:1000])
    server.pages["/model.bin"] = Page(BODY, ranges=ranges)
    assert (fetch("thing", catalogue=catalogue) / "model.bin").read_bytes() == BODY
    assert [one.status for one in server.seen] == statuses


def test_an_answer_with_another_range_is_refused(server: LoopbackServer, catalogue: Path, part: Path) -> None:
    part.parent.mkdir(parents=True)
    part.write_bytes(BODY[:1000])
    server.pages["/model.bin"] = Page(BODY, ranges="wrong")
    assert "another range" in refused(catalogue)
    assert not part.exists()


def test_a_part_that_is_complete_needs_no_request_and_a_longer_one_is_dropped(
    server: LoopbackServer, catalogue: Path, part: Path
) -> None:
    part.parent.mkdir(parents=True)
    part.write_bytes(BODY)
    folder = fetch("thing", catalogue=catalogue)
    assert server.seen == []
    (folder / "model.bin").unlink()
    part.write_bytes(BODY + b"more")
    assert (fetch("thing", catalogue=catalogue) / "model.bin").read_bytes() == BODY
    assert "Range" not in server.seen[0].headers


def test_a_part_with_wrong_bytes_is_not_kept(server: LoopbackServer, catalogue: Path, part: Path) -> None:
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    assert "wrong sha256" in refused(catalogue)
    assert not part.exists()
    assert (fetch("thing", catalogue=catalogue) / "model.bin").read_bytes() == BODY


def test_a_login_page_is_named_and_the_part_survives(server: LoopbackServer, catalogue: Path, part: Path) -> None:
    part.parent.mkdir(parents=True)
    part.write_bytes(BODY[:1000])
    server.pages["/model.bin"] = Page(b"<html>log in</html>", content_type="text/html; charset=utf-8", ranges="ignored")
    message = refused(catalogue)
    assert "web page (text/html), probably a login page" in message
    assert f"copy the file (300000 bytes, sha256 {hashlib.sha256(BODY).hexdigest()}) to {part.with_suffix('')}" in (
        message
    )
    assert part.read_bytes() == BODY[:1000]


@pytest.mark.parametrize("body", [bytes(300_000), b"short"])
def test_wrong_bytes_are_not_kept(body: bytes, server: LoopbackServer, catalogue: Path, part: Path) -> None:
    server.pages["/model.bin"] = Page(body)
    message = refused(catalogue)
    assert hashlib.sha256(BODY).hexdigest() in message
    assert hashlib.sha256(body).hexdigest() in message
    assert "nothing of it was kept" in message
    assert list(part.parent.iterdir()) == []


@pytest.mark.parametrize("send_length", [True, False])
def test_a_longer_body_is_refused(send_length: bool, server: LoopbackServer, catalogue: Path, part: Path) -> None:
    server.pages["/model.bin"] = Page(BODY + b"x", send_length=send_length)
    assert "sends more than the 300000 bytes" in refused(catalogue)
    assert not part.exists()


@pytest.mark.parametrize(("code", "words"), [(404, "answered 404"), (403, "asks for a login"), (503, "answered 503")])
def test_a_refusal_of_the_server_is_quoted(code: int, words: str, server: LoopbackServer, catalogue: Path) -> None:
    server.pages["/model.bin"] = Page(status=code)
    assert words in refused(catalogue)


def test_no_server_says_what_to_do(
    cache: Path, row: Callable[..., dict[str, str | int]], write_catalogue: Callable[..., Path]
) -> None:
    catalogue = write_catalogue(row("http://127.0.0.1:9/model.bin", BODY))
    message = refused(catalogue)
    assert "cannot fetch asset 'thing': file 'model.bin' from http://127.0.0.1:9/model.bin: cannot reach" in message
    assert "Run `calm-eval assets fetch thing` where there is a network, or copy the file" in message
    # The other way out that the message offers: put the file there by hand.
    final = Path(message.rpartition(" to ")[2])
    final.write_bytes(BODY)
    assert fetch("thing", catalogue=catalogue) == final.parent


def test_redirects_are_followed_but_not_to_plain_http_elsewhere(server: LoopbackServer, catalogue: Path) -> None:
    server.pages["/model.bin"] = Page(redirect="http://192.0.2.1/model.bin")
    assert "redirects to a place that is not allowed" in refused(catalogue)
    server.pages["/model.bin"] = Page(redirect="/moved")
    server.pages["/moved"] = Page(BODY)
    assert (fetch("thing", catalogue=catalogue) / "model.bin").read_bytes() == BODY


def test_a_killed_process_leaves_a_part_and_the_next_resumes(
    server: LoopbackServer, catalogue: Path, part: Path
) -> None:
    hold = threading.Event()
    server.pages["/model.bin"] = Page(BODY, cut_after=200_000, hold=hold)
    process = subprocess.Popen([sys.executable, "-c", FETCH, str(catalogue)], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 10
    while not (part.exists() and part.stat().st_size >= 65536):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.communicate()
    hold.set()
    assert not part.with_suffix("").exists()
    server.pages["/model.bin"] = Page(BODY)
    assert (fetch("thing", catalogue=catalogue) / "model.bin").read_bytes() == BODY
    assert server.seen[1].status == 206


def test_the_progress_bar_is_for_terminals(catalogue: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    try:
        subprocess.run([sys.executable, "-c", FETCH, str(catalogue)], stderr=theirs, stdout=subprocess.PIPE, check=True)
        assert b"model.bin: 100%" in os.read(ours, 100_000)
    finally:
        os.close(ours)
        os.close(theirs)


def test_no_progress_bar_elsewhere(catalogue: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FETCH, str(catalogue)], capture_output=True, check=True)
    assert done.stderr == b""
