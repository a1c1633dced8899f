"""The catalogue of assets: what there is, under which terms, from where, with which sha256."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from calm_eval.assets.sources import (
    WHEEL_KEYS,
    Source,
    parse_source,
    relative_path,
    required_sha256,
    required_text,
)
from calm_eval.errors import InputError

ASSET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
ASSET_KEYS = frozenset({"title", "licence", "terms", "homepage", "files"})
FILE_KEYS = frozenset({"name", "source", "sha256", "sha256_prefix", "trust", "size", *WHEEL_KEYS})
FIRST_USE = "first-use"
"""The value of `trust` of a file whose sha256 nobody published."""


@dataclass(frozen=True)
class AssetFile:
    """One file of an asset: the name it is stored under, its source, its sha256 and its size in bytes.

    `sha256` None: nobody published it, and the one that is found on first use holds (`first_use.py`); `size` is then
    about right, and `sha256_prefix` what is known of its beginning.
    """

    name: str
    source: Source
    sha256: str | None
    size: int
    sha256_prefix: str = ""


@dataclass(frozen=True)
class Asset:
    """Files that belong together, with their licence and, in one sentence, the terms of use."""

    name: str
    title: str
    licence: str
    terms: str
    files: tuple[AssetFile, ...]
    homepage: str | None = None

    @property
    def pinned(self) -> bool:
        """Whether the sha256 of every file was published; else some are trusted on first use."""
        return all(file.sha256 is not None for file in self.files)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def load_catalogue(path: Path | None = None) -> dict[str, Asset]:
    """All assets of a catalogue by name: the one that ships with calm-eval, or the TOML file `path` in its place.

    Raises InputError, naming the file, the asset and the key, when the catalogue cannot be read or is wrong.
    """
    chosen = Path(__file__).with_name("assets.toml") if path is None else path
    try:
        tables = _tables(chosen.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read the asset catalogue {chosen}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the asset catalogue {chosen} is not valid TOML: {error}") from error
    base = chosen.absolute().parent
    assets: dict[str, Asset] = {}
    for name, table in tables.items():
        try:
            assets[name] = _asset(name, table, base)
        except ValueError as error:
            raise InputError(f"asset catalogue {chosen}: asset '{name}': {error}") from error
    return assets


@lru_cache(maxsize=4)
def _tables(text: str) -> Mapping[str, object]:
    """Asked for by each judge of a list, for the same few texts."""
    return tomllib.loads(text)


def _asset(name: str, table: object, base: Path) -> Asset:
    if ASSET_NAME.fullmatch(name) is None:
        raise ValueError("the name may hold only letters, digits, '.', '_' and '-', and starts with a letter or digit")
    if not isinstance(table, dict):
        raise ValueError("must be a table")
    _refuse_unknown(table, ASSET_KEYS)
    rows = table.get("files")
    if not isinstance(rows, list) or not rows:
        raise ValueError("'files' must hold at least one [[NAME.files]] table")
    files: list[AssetFile] = []
    for number, row in enumerate(rows, start=1):
        try:
            files.append(_file(row, base))
        except ValueError as error:
            raise ValueError(f"file {number}: {error}") from error
        if files[-1].name in [file.name for file in files[:-1]]:
            raise ValueError(f"file {number}: 'name' repeats '{files[-1].name}'")
    return Asset(
        name=name,
        title=required_text(table, "title"),
        licence=required_text(table, "licence"),
        terms=required_text(table, "terms"),
        files=tuple(files),
        homepage=required_text(table, "homepage") if "homepage" in table else None,
    )


def _file(row: object, base: Path) -> AssetFile:
    if not isinstance(row, dict):
        raise ValueError("must be a table")
    _refuse_unknown(row, FILE_KEYS)
    name = relative_path(required_text(row, "name"), "name")
    if name.endswith(".part"):
        raise ValueError(f"'name' may not end in .part, which marks an unfinished download: '{name}'")
    if name.endswith(".sha256"):
        raise ValueError(f"'name' may not end in .sha256, which is written beside a file: '{name}'")
    source = parse_source(row, base)
    if "trust" not in row:
        if "sha256_prefix" in row:
            raise ValueError(f"'sha256_prefix' goes only with trust = \"{FIRST_USE}\"")
        return AssetFile(name, source, required_sha256(row, "sha256"), _size(row))
    if row["trust"] != FIRST_USE or "sha256" in row:
        raise ValueError(f"'trust' is \"{FIRST_USE}\", without a 'sha256'")
    prefix = required_text(row, "sha256_prefix") if "sha256_prefix" in row else ""
    if set(prefix) - set("0123456789abcdef"):
        raise ValueError(f"'sha256_prefix' must be lower-case hex digits, not '{prefix}'")
    return AssetFile(name, source, None, _size(row), prefix)


def _size(row: Mapping[str, Any]) -> int:
    if "size" not in row:
        raise ValueError("'size' is missing")
    size = row["size"]
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        raise ValueError(f"'size' must be a whole number of bytes above 0, not {size!r}")
    return size


def _refuse_unknown(table: Mapping[str, Any], known: frozenset[str]) -> None:
    for key in table:
        if key not in known:
            raise ValueError(f"unknown key '{key}'; known: {', '.join(sorted(known))}")
