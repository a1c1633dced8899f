"""What `calm-eval assets list`, `fetch` and `verify` do, as text."""

from __future__ import annotations

from collections.abc import Sequence

from calm_eval.assets.catalogue import load_catalogue
from calm_eval.assets.resolver import fetch, find_asset, status, verify
from calm_eval.errors import UnavailableError


def list_assets() -> str:
    """A table of all assets: name, licence, size in MB (10^6 bytes), state in the cache, trust, source.

    Trust: `pinned` by sha256, or `first use` where nobody published one.

    Raises StoreError when a cached file cannot be read.
    """
    rows = [("name", "licence", "size", "state", "trust", "source")]
    for asset in load_catalogue().values():
        sources = ", ".join(dict.fromkeys(str(file.source) for file in asset.files))
        trust = "pinned" if asset.pinned else "first use"
        rows.append((asset.name, asset.licence, f"{asset.size / 1e6:.1f} MB", status(asset.name), trust, sources))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def fetch_assets(names: Sequence[str]) -> str:
    """Fetch the named assets, or all that are pinned when `names` is empty; one line each with its folder and terms.

    What is trusted on first use has to be named. Goes on after an asset that cannot be had, then raises one
    UnavailableError for all of those. Raises InputError on an unknown name before anything is fetched, StoreError when
    the cache folder cannot be used.
    """
    pinned = [name for name, asset in load_catalogue().items() if asset.pinned]
    assets = [find_asset(name) for name in names or pinned]
    lines: list[str] = []
    failures: list[str] = []
    for asset in assets:
        try:
            folder = fetch(asset.name)
        except UnavailableError as error:
            failures.append(str(error))
        else:
            lines.append(f"{asset.name}: {folder} ({asset.licence}. {asset.terms})")
    if failures:
        raise UnavailableError("\n".join([*failures, *(f"fetched {line}" for line in lines)]))
    return "\n".join(lines)


def verify_assets(names: Sequence[str]) -> tuple[str, bool]:
    """Check the cached files of the named assets, or of all when `names` is empty; one line each, and whether all
    is well. An asset that was never fetched counts as a failure only when it was named. Raises InputError, StoreError.
    """
    assets = [find_asset(name) for name in names or load_catalogue()]
    lines: list[str] = []
    sound = True
    for asset in assets:
        try:
            lines.append(f"{asset.name}: present in {verify(asset.name)}")
        except UnavailableError as error:
            lines.append(f"{asset.name}: {error}")
            if names or status(asset.name) != "missing":
                sound = False
    return "\n".join(lines), sound
