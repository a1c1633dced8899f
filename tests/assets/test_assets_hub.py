from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from loopback import LoopbackServer, Page

from calm_eval.assets import fetch
from calm_eval.assets.hub import hub_address
from calm_eval.assets.sources import HubSource
from calm_eval.errors import InputError, UnavailableError

BODY = b"weights of a hub model"
PATH = "/org/repo/resolve/0a1b2c/sub/model.bin"


@pytest.fixture
def catalogue(
    server: LoopbackServer,
    cache: Path,
    row: Callable[..., dict[str, str | int]],
    write_catalogue: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    server.pages[PATH] = Page(BODY)
    monkeypatch.setenv("HF_ENDPOINT", f"{server.url}/")
    return write_catalogue(row("hf:org/repo@0a1b2c:sub/model.bin", BODY))


def test_the_address_is_quoted_and_has_a_default() -> None:
    source = HubSource("org/repo", "refs/pr/1", "a b.bin")
    assert hub_address(source) == "https://huggingface.co/org/repo/resolve/refs%2Fpr%2F1/a%20b.bin"


def test_without_a_token_none_is_sent(server: LoopbackServer, catalogue: Path) -> None:
    assert (fetch("thing", catalogue=catalogue) / "model.bin").read_bytes() == BODY
    assert "Authorization" not in server.seen[0].headers


def test_the_token_follows_only_to_the_same_host(
    server: LoopbackServer,
    start_server: Callable[[], LoopbackServer],
    catalogue: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret\n")
    elsewhere = start_server()
    server.pages[PATH] = Page(redirect="/renamed")
    server.pages["/renamed"] = Page(redirect=f"{elsewhere.url}/store/model.bin")
    elsewhere.pages["/store/model.bin"] = Page(BODY)
    assert (fetch("thing", catalogue=catalogue) / "model.bin").read_bytes() == BODY
    assert [one.headers.get("Authorization") for one in server.seen] == ["Bearer hf_secret"] * 2
    assert elsewhere.paths() == ["/store/model.bin"]
    assert "Authorization" not in elsewhere.seen[0].headers


def test_a_token_that_went_elsewhere_and_back_is_not_sent_again(
    server: LoopbackServer,
    start_server: Callable[[], LoopbackServer],
    catalogue: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    elsewhere = start_server()
    server.pages[PATH] = Page(redirect=f"{elsewhere.url}/bounce")
    elsewhere.pages["/bounce"] = Page(redirect=f"{server.url}/back")
    server.pages["/back"] = Page(BODY)
    fetch("thing", catalogue=catalogue)
    assert [one.headers.get("Authorization") for one in server.seen] == ["Bearer hf_secret", None]


def test_a_gated_model_asks_for_the_token_and_no_error_shows_it(
    server: LoopbackServer, catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.pages[PATH] = Page(status=401)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with pytest.raises(UnavailableError, match="set HF_TOKEN") as caught:
        fetch("thing", catalogue=catalogue)
    assert "hf_secret" not in str(caught.value)
    monkeypatch.setenv("HF_TOKEN", "hf_sec\nret")
    with pytest.raises(InputError, match="HF_TOKEN holds characters") as refused:
        fetch("thing", catalogue=catalogue)
    assert "hf_sec" not in str(refused.value)


def test_an_endpoint_in_plain_http_elsewhere_is_refused(catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://192.0.2.1")
    with pytest.raises(InputError, match=r"asset 'thing'.*HF_ENDPOINT: .*plain http"):
        fetch("thing", catalogue=catalogue)
