"""Where an asset file comes from: four kinds of source, parsed from the text of the catalogue."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SHA256 = re.compile(r"[0-9a-f]{64}")
# Starting with a letter or digit, neither can be taken for an option of pip.
PYPI = re.compile(r"pypi:(?P<dist>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9][A-Za-z0-9._+!-]*)")
HUB = re.compile(r"hf:(?P<repo>[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)?)@(?P<revision>[^:@\s]+):(?P<path>\S.*)")


@dataclass(frozen=True)
class Wheel:
    """One wheel of a package index, pinned: distribution, version, file name and sha256."""

    dist: str
    version: str
    file: str
    sha256: str


@dataclass(frozen=True)
class WheelSource:
    """One member of a wheel. `member` is the path inside the wheel."""

    wheel: Wheel
    member: str

    def __str__(self) -> str:
        return f"pypi:{self.wheel.dist}=={self.wheel.version}"


@dataclass(frozen=True)
class UrlSource:
    """A file behind an https address (http only on this machine)."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class HubSource:
    """A file of a repository on a model hub, at a revision."""

    repo: str
    revision: str
    path: str

    def __str__(self) -> str:
        return f"hf:{self.repo}@{self.revision}:{self.path}"


@dataclass(frozen=True)
class LocalSource:
    """A file on this machine."""

    path: Path

    def __str__(self) -> str:
        return f"file:{self.path}"


Source = WheelSource | UrlSource | HubSource | LocalSource

WHEEL_KEYS = ("wheel", "wheel_sha256", "member")


def parse_source(row: Mapping[str, Any], base: Path) -> Source:
    """The source of one catalogue row; a relative `file:` path is taken from `base`, the catalogue's folder.

    Raises ValueError, naming the key, on anything malformed.
    """
    text = required_text(row, "source")
    kind = text.partition(":")[0]
    if kind != "pypi":
        for key in WHEEL_KEYS:
            if key in row:
                raise ValueError(f"'{key}' goes only with a pypi: source, not with '{text}'")
    if kind == "pypi":
        return _wheel_source(row, text)
    if kind in ("https", "http"):
        try:
            check_address(text)
        except ValueError as error:
            raise ValueError(f"'source': {error}") from error
        return UrlSource(text)
    if kind == "hf":
        found = HUB.fullmatch(text)
        if found is None:
            raise ValueError(f"'source' is '{text}', not hf:REPO@REVISION:PATH")
        return HubSource(found["repo"], found["revision"], relative_path(found["path"], "source"))
    if kind == "file" and text != "file:":
        try:
            return LocalSource(base / Path(text.removeprefix("file:")).expanduser())
        except RuntimeError as error:  # ~USER with no such user
            raise ValueError(f"'source' is '{text}': {error}") from error
    raise ValueError(f"'source' is '{text}', which is none of pypi:, https:, hf:, file:")


def _wheel_source(row: Mapping[str, Any], text: str) -> WheelSource:
    found = PYPI.fullmatch(text)
    if found is None:
        raise ValueError(f"'source' is '{text}', not pypi:DIST==VERSION")
    file = relative_path(required_text(row, "wheel"), "wheel")
    if "/" in file or not file.endswith(".whl"):
        raise ValueError(f"'wheel' is '{file}', not the file name of a wheel")
    member = relative_path(required_text(row, "member"), "member")
    return WheelSource(Wheel(found["dist"], found["version"], file, required_sha256(row, "wheel_sha256")), member)


def check_address(url: str) -> None:
    """Raises ValueError unless `url` is https, or http to this machine itself."""
    scheme, host, _ = origin(url)
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"{url!r} holds characters that an address must have quoted")
    if host and scheme == "https":
        return
    if not host or scheme != "http":
        raise ValueError(f"'{url}' is not an https address")
    if not _is_loopback(host):
        raise ValueError(f"'{url}' is plain http, which is allowed only for this machine itself")


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of an address. Raises ValueError on a malformed one."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a host name, not an address
        return False


def required_text(row: Mapping[str, Any], key: str) -> str:
    """The non-empty text under `key`. Raises ValueError, naming the key."""
    if key not in row:
        raise ValueError(f"'{key}' is missing")
    value = row[key]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"'{key}' must be a non-empty text, not {value!r}")
    return value


def required_sha256(row: Mapping[str, Any], key: str) -> str:
    """The sha256 under `key`. Raises ValueError, naming the key."""
    value = required_text(row, key)
    if SHA256.fullmatch(value) is None:
        raise ValueError(f"'{key}' must be a sha256 of 64 lower-case hex digits, not '{value}'")
    return value


def relative_path(text: str, key: str) -> str:
    """`text` when it is a relative path with forward slashes that stays below its root. Raises ValueError."""
    if "\\" in text or not text.isprintable() or any(part in ("", ".", "..") for part in text.split("/")):
        raise ValueError(f"'{key}' must be a relative path without '..', not {text!r}")
    return text
