"""From the name of an asset to the folder with its verified files."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from calm_eval.assets.cache import asset_folder, cache_errors, locked
from calm_eval.assets.catalogue import Asset, AssetFile, load_catalogue
from calm_eval.assets.checksum import sha256_of, sha256_once
from calm_eval.assets.fetching import fetch_files
from calm_eval.assets.first_use import expected_sha256
from calm_eval.errors import InputError, UnavailableError

State = Literal["present", "missing", "damaged"]


def find_asset(name: str, catalogue: Path | None = None) -> Asset:
    """The asset called `name`. Raises InputError, with near matches, when there is none."""
    assets = load_catalogue(catalogue)
    if name not in assets:
        near = difflib.get_close_matches(name, assets, n=3, cutoff=0.6)
        hint = f"; did you mean {' or '.join(repr(one) for one in near)}?" if near else "."
        raise InputError(f"unknown asset '{name}'{hint} Known: {', '.join(assets) or 'none'}")
    return assets[name]


def weights(name: str, *, catalogue: Path | None = None) -> dict[str, str]:
    """The sha256 of each file of an asset, by file name: the catalogue's, or what was found on first use.

    Raises InputError, and UnavailableError for a file that is trusted on first use and was never fetched.
    """
    asset = find_asset(name, catalogue)
    found: dict[str, str] = {}
    for file in asset.files:
        with cache_errors():
            sha256 = expected_sha256(file, asset_folder(asset))
        if sha256 is None:
            raise UnavailableError(
                f"the identity of asset '{name}' is not known before it is there: run `calm-eval assets fetch {name}` "
                f"({asset.size / 1e6:.0f} MB)"
            )
        found[file.name] = sha256
    return found


def fetch(name: str, *, catalogue: Path | None = None) -> Path:
    """The folder with all files of an asset: fetched when missing, checked by sha256, offline when cached.

    A file is read for its sha256 once in a process, and again when it changed. Raises InputError on an unknown name,
    UnavailableError when a file cannot be had or is damaged, StoreError when the cache folder cannot be used.
    """
    asset = find_asset(name, catalogue)
    folder = asset_folder(asset)
    with cache_errors():
        _refuse_damaged(asset, folder, sha256_once)
        if _missing(asset, folder):
            with locked(folder):
                # Another process may have fetched them while this one waited.
                fetch_files(asset, _missing(asset, folder), folder)
            _refuse_damaged(asset, folder, sha256_once)
    return folder


def status(name: str, *, catalogue: Path | None = None) -> State:
    """Whether an asset is `present`, `missing` (at least one file) or `damaged` (at least one wrong sha256).

    Fetches nothing. Raises InputError on an unknown name, StoreError when a cached file cannot be read.
    """
    asset = find_asset(name, catalogue)
    folder = asset_folder(asset)
    with cache_errors():
        if _damaged(asset, folder, sha256_once) is not None:
            return "damaged"
        return "missing" if _missing(asset, folder) else "present"


def verify(name: str, *, catalogue: Path | None = None) -> Path:
    """Read every file of a cached asset again and return its folder. Fetches nothing.

    Raises UnavailableError when a file is missing or damaged, InputError and StoreError as `status`.
    """
    asset = find_asset(name, catalogue)
    folder = asset_folder(asset)
    with cache_errors():
        _refuse_damaged(asset, folder, sha256_of)
        missing = _missing(asset, folder)
    if missing:
        files = ", ".join(file.name for file in missing)
        raise UnavailableError(
            f"asset '{name}' is not complete in {folder}: missing {files}; run `calm-eval assets fetch {name}`"
        )
    return folder


def _missing(asset: Asset, folder: Path) -> list[AssetFile]:
    return [file for file in asset.files if not (folder / file.name).is_file() or expected_sha256(file, folder) is None]


def _damaged(asset: Asset, folder: Path, digest: Callable[[Path], str]) -> tuple[AssetFile, str] | None:
    """The first file that is there with a wrong sha256, and the one found."""
    for file in asset.files:
        path = folder / file.name
        expected = expected_sha256(file, folder)
        if path.is_file() and expected is not None and (found := digest(path)) != expected:
            return file, found
    return None


def _refuse_damaged(asset: Asset, folder: Path, digest: Callable[[Path], str]) -> None:
    damaged = _damaged(asset, folder, digest)
    if damaged is not None:
        file, found = damaged
        raise UnavailableError(
            f"asset '{asset.name}' is damaged: {folder / file.name} has sha256 {found}, expected "
            f"{expected_sha256(file, folder)}; "
            f"delete that file and run `calm-eval assets fetch {asset.name}`"
        )
