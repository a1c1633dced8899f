from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loopback import LoopbackServer

Row = dict[str, str | int]


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy between the tests and the loopback server, no token or endpoint of the person who runs them."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("HF_ENDPOINT", raising=False)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("CALM_EVAL_CACHE", str(folder))
    return folder


@pytest.fixture
def start_server() -> Iterator[Callable[[], LoopbackServer]]:
    servers: list[LoopbackServer] = []

    def start() -> LoopbackServer:
        servers.append(LoopbackServer())
        return servers[-1]

    yield start
    for one in servers:
        one.close()


@pytest.fixture
def server(start_server: Callable[[], LoopbackServer]) -> LoopbackServer:
    return start_server()


@pytest.fixture
def row() -> Callable[..., Row]:
    """A catalogue row for a body, with its true sha256 and size unless given otherwise."""

    def make(source: str, body: bytes, name: str = "model.bin", **more: str | int) -> Row:
        made: Row = {
            "name": name,
            "source": source,
            "sha256": hashlib.sha256(body).hexdigest(),
            "size": len(body),
        }
        return made | more

    return make


@pytest.fixture
def write_catalogue(tmp_path: Path) -> Callable[..., Path]:
    """Write a catalogue with one asset called `thing`."""

    def write(*rows: Row, name: str = "thing") -> Path:
        lines = [f'["{name}"]', 'title = "A thing"', 'licence = "CC0-1.0"', 'terms = "Free."']
        for one in rows:
            lines.append(f'[["{name}".files]]')
            lines += [f"{key} = {value!r}" for key, value in one.items()]
        path = tmp_path / "catalogue.toml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def dead_index(monkeypatch: pytest.MonkeyPatch) -> str:
    """pip with nothing but an index on a loopback port where nobody listens."""
    address = "http://127.0.0.1:9/simple"
    for name in [one for one in os.environ if one.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", address)
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    return address


@pytest.fixture
def wheel_folder(tmp_path: Path, dead_index: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks for wheels."""
    folder = tmp_path / "links"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def build_wheel(wheel_folder: Path) -> Callable[..., Row]:
    """Build tiny_thing 1.0 by hand with the given members; returns the catalogue keys that pin it."""

    def build(members: dict[str, bytes]) -> Row:
        path = wheel_folder / "tiny_thing-1.0-py3-none-any.whl"
        info = "tiny_thing-1.0.dist-info"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, body in members.items():
                archive.writestr(name, body)
            archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
        return {"wheel": path.name, "wheel_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}

    return build
