from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs
import pytest
from loopback import LoopbackServer, Page

from calm_eval.assets import cache_folder, fetch, load_catalogue, status, verify
from calm_eval.assets.cache import asset_folder, locked
from calm_eval.errors import InputError, StoreError, UnavailableError

Row = dict[str, str | int]
BODY = random.Random(2).randbytes(3_000_000)
FETCH = "import sys; from pathlib import Path; from calm_eval.assets import fetch; "
FETCH += "print(fetch('thing', catalogue=Path(sys.argv[1])))"


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "original.bin"
    path.write_bytes(BODY)
    return path


@pytest.fixture
def catalogue(original: Path, cache: Path, row: Callable[..., Row], write_catalogue: Callable[..., Path]) -> Path:
    return write_catalogue(row("file:original.bin", BODY))


def test_the_cache_folder_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CALM_EVAL_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("CALM_EVAL_CACHE")
    assert cache_folder() == Path(platformdirs.user_cache_dir("calm-eval"))
    monkeypatch.setenv("CALM_EVAL_CACHE", "~nobody-of-this-name/x")
    with pytest.raises(InputError, match="CALM_EVAL_CACHE"):
        cache_folder()


def test_a_local_file_is_copied(catalogue: Path, original: Path) -> None:
    folder = fetch("thing", catalogue=catalogue)
    assert (folder / "model.bin").read_bytes() == BODY
    original.unlink()
    assert verify("thing", catalogue=catalogue) == folder


def test_a_local_file_that_is_not_there(catalogue: Path, original: Path) -> None:
    original.unlink()
    with pytest.raises(UnavailableError, match=r"cannot open .*original\.bin: No such file"):
        fetch("thing", catalogue=catalogue)
    with pytest.raises(UnavailableError, match=r"missing model\.bin; run `calm-eval assets fetch thing`"):
        verify("thing", catalogue=catalogue)


def test_a_changed_hash_gets_a_new_folder(
    catalogue: Path, original: Path, row: Callable[..., Row], write_catalogue: Callable[..., Path]
) -> None:
    first = fetch("thing", catalogue=catalogue)
    original.write_bytes(b"newer")
    second = fetch("thing", catalogue=write_catalogue(row("file:original.bin", b"newer")))
    assert second != first
    assert (first / "model.bin").read_bytes() == BODY
    assert (second / "model.bin").read_bytes() == b"newer"


def test_a_damaged_file_is_refused_with_both_hashes(catalogue: Path) -> None:
    path = fetch("thing", catalogue=catalogue) / "model.bin"
    with path.open("r+b") as stream:  # one byte, in the same process that has read it before
        stream.seek(1_000_000)
        stream.write(bytes([BODY[1_000_000] ^ 1]))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    assert status("thing", catalogue=catalogue) == "damaged"
    for call in (fetch, verify):
        with pytest.raises(UnavailableError) as caught:
            call("thing", catalogue=catalogue)
        message = str(caught.value)
        assert f"{path} has sha256 {found}, expected {hashlib.sha256(BODY).hexdigest()}" in message
        assert "delete that file and run `calm-eval assets fetch thing`" in message
    path.unlink()
    fetch("thing", catalogue=catalogue)
    assert status("thing", catalogue=catalogue) == "present"


def test_two_processes_at_once_download_once(
    server: LoopbackServer, cache: Path, row: Callable[..., Row], write_catalogue: Callable[..., Path]
) -> None:
    server.pages["/model.bin"] = Page(BODY)
    catalogue = write_catalogue(row(f"{server.url}/model.bin", BODY))
    folder = asset_folder(load_catalogue(catalogue)["thing"])
    with locked(folder):  # both are sure to wait at the lock before either goes on
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", FETCH, str(catalogue)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        for process in processes:
            assert process.stderr is not None
            assert process.stderr.readline().startswith("waiting for another process")
    for process in processes:
        out, _ = process.communicate(timeout=20)
        assert process.returncode == 0
        assert out.strip() == str(folder)
    assert server.paths() == ["/model.bin"]
    assert (folder / "model.bin").read_bytes() == BODY


def test_what_a_killed_process_left_behind_is_cleared(catalogue: Path) -> None:
    folder = asset_folder(load_catalogue(catalogue)["thing"])
    left = folder.with_name(f"{folder.name}.tmp") / "half.whl"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    fetch("thing", catalogue=catalogue)
    assert not left.parent.exists()


def test_a_cache_that_cannot_be_a_folder(catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "regular").write_text("a file")
    monkeypatch.setenv("CALM_EVAL_CACHE", str(tmp_path / "regular" / "cache"))
    assert status("thing", catalogue=catalogue) == "missing"
    with pytest.raises(StoreError) as caught:
        fetch("thing", catalogue=catalogue)
    assert str(tmp_path / "regular" / "cache") in str(caught.value)
    assert "set CALM_EVAL_CACHE to another folder" in str(caught.value)


def test_a_cache_without_write_permission(catalogue: Path, cache: Path) -> None:
    folder = fetch("thing", catalogue=catalogue)
    places = [cache, cache / "assets", folder.parent, folder]
    for place in places:
        place.chmod(0o500)
    try:
        if os.access(folder, os.W_OK):
            pytest.skip("this user may write everywhere")
        assert fetch("thing", catalogue=catalogue) == folder  # reading needs no lock
        folder.chmod(0o700)
        (folder / "model.bin").unlink()
        with pytest.raises(StoreError, match="Permission denied"):
            fetch("thing", catalogue=catalogue)
    finally:
        for place in places:
            place.chmod(0o700)


@pytest.fixture
def full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache on a real file system of one megabyte."""
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("a small file system can be mounted only by root")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run([mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.decode().strip()}")
    monkeypatch.setenv("CALM_EVAL_CACHE", str(folder))
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("kind", ["file", "https", "wheel"])
def test_a_full_disk_names_the_cache_and_leaves_no_rubbish(
    kind: str,
    full_disk: Path,
    server: LoopbackServer,
    original: Path,
    build_wheel: Callable[..., Row],
    row: Callable[..., Row],
    write_catalogue: Callable[..., Path],
) -> None:
    server.pages["/model.bin"] = Page(BODY)
    if kind == "wheel":
        made = row("pypi:tiny-thing==1.0", BODY, member="a", **build_wheel({"a": BODY}))
    else:
        made = row({"file": "file:original.bin", "https": f"{server.url}/model.bin"}[kind], BODY)
    with pytest.raises(StoreError) as caught:
        fetch("thing", catalogue=write_catalogue(made))
    assert "No space left on device" in str(caught.value)
    assert str(full_disk) in str(caught.value)
    assert [path for path in full_disk.rglob("*") if path.is_file() and path.suffix != ".lock"] == []
