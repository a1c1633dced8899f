"""Download over http(s): resumable, checked against a login page, with a token that stays with its host."""

from __future__ import annotations

import http.client
import sys
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import IO, NoReturn
from urllib.parse import urlsplit

from calm_eval.assets.sources import check_address, origin
from calm_eval.errors import UnavailableError

TIMEOUT_SECONDS = 60.0
BLOCK_BYTES = 1 << 16
ROOM = 1.5
"""How much longer than about right a file may be."""


def download(url: str, part: Path, size: int, token: str | None = None, *, exact: bool = True) -> None:
    """Bring the `size` bytes behind `url` to `part`, going on from the bytes that are already there.

    Where `size` is not `exact` the server must say how long the file is, which is at most `ROOM` times that. Raises
    UnavailableError when the server cannot be reached, refuses, sends a web page or something too long, or the
    connection is cut (`part` then stays for the next try); OSError when `part` cannot be written.
    """
    start = part.stat().st_size if part.exists() else 0
    if start == size and exact:
        return
    size = size if exact else int(ROOM * size)
    if start > size:
        part.unlink()
        start = 0
    with _open(url, start, token) as response:
        kind = response.headers.get_content_type()
        if kind == "text/html" and not urlsplit(url).path.endswith((".html", ".htm")):
            raise UnavailableError(f"{url} answered with a web page (text/html), probably a login page, not the file")
        if start and response.status == HTTPStatus.PARTIAL_CONTENT:
            if not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                part.unlink()
                raise UnavailableError(f"{url} answered with another range than the one asked for; run it again")
        else:
            start = 0  # a server that ignores ranges sends everything
        length = response.headers.get("Content-Length", "")
        if not exact and not length.isdecimal():
            raise UnavailableError(f"{url} does not say how long the file is, and nobody published it")
        end = start + int(length) if length.isdecimal() else size
        if end > size:
            _refuse_length(url, part, size)
        got = _receive(response, url, part, start, size)
    if got < end:
        raise UnavailableError(
            f"the connection to {url} was cut after {got} of {end} bytes; run it again, it resumes from there"
        )


def _receive(response: http.client.HTTPResponse, url: str, part: Path, start: int, size: int) -> int:
    """Append the body to `part` from byte `start`; returns the bytes that `part` then holds."""
    from tqdm import tqdm

    got = start
    with (
        part.open("ab" if start else "wb") as stream,
        tqdm(
            total=size, initial=start, unit="B", unit_scale=True, desc=part.stem, disable=not sys.stderr.isatty()
        ) as bar,
    ):
        while True:
            try:
                block = response.read(BLOCK_BYTES)
            # Only reading is guarded: an OSError of the disk must not look like one of the network.
            except (OSError, http.client.HTTPException):
                return got
            if not block:
                return got
            got += len(block)
            if got > size:
                _refuse_length(url, part, size)
            stream.write(block)
            bar.update(len(block))


def _refuse_length(url: str, part: Path, size: int) -> NoReturn:
    part.unlink(missing_ok=True)
    raise UnavailableError(f"{url} sends more than the {size} bytes of the catalogue: another file; nothing was kept")


def _open(url: str, start: int, token: str | None) -> http.client.HTTPResponse:
    request = urllib.request.Request(url, headers={"User-Agent": "calm-eval"})
    if token is not None:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        answer: http.client.HTTPResponse = urllib.request.build_opener(_Redirects).open(
            request, timeout=TIMEOUT_SECONDS
        )
    except urllib.error.HTTPError as error:
        error.close()
        if start and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _open(url, 0, token)
        raise UnavailableError(_refusal(url, error.code, error.reason)) from error
    except urllib.error.URLError as error:
        raise UnavailableError(f"cannot reach {url}: {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(f"cannot reach {url}: {type(error).__name__}: {error}") from error
    return answer


def _refusal(url: str, code: int, reason: str) -> str:
    said = f"{url} answered {code} {reason}"
    if code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return f"{said}: it asks for a login; for a model hub set HF_TOKEN and accept the model's terms on its page"
    return said


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https addresses; the token goes along only to the same scheme, host and port."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        try:
            check_address(newurl)
        except ValueError as error:
            raise UnavailableError(f"{req.full_url} redirects to a place that is not allowed: {error}") from error
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        token = req.unredirected_hdrs.get("Authorization")
        if following is not None and token is not None and origin(newurl) == origin(req.full_url):
            following.add_unredirected_header("Authorization", token)
        return following
