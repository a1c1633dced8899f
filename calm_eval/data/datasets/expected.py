"""Is it the data set that the suite means? Its ids are counted and hashed before any audio is opened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from calm_eval.assets import cache_folder
from calm_eval.assets.cache import cache_errors
from calm_eval.audio.write import write_atomically
from calm_eval.errors import InputError
from calm_eval.specs.dataset import DataSpec

Ids = dict[str, int | str]
"""`items` and `ids_digest`, or one of them."""


def ids_digest(ids: Iterable[str]) -> str:
    """Sha256 (hex) of the sorted ids joined by newlines, in UTF-8."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()


def record_file(suite: str, version: int) -> Path:
    """Where the ids of first use are remembered, for what the suite itself does not know."""
    return cache_folder() / "datasets" / f"{suite.replace('/', '-')}-v{version}.json"


def check_ids(suite: str, version: int, data: DataSpec, ids: list[str]) -> None:
    """Compare with what the suite expects, and with the first use for what it leaves open.

    Raises InputError naming the expected and the found count or digest, StoreError when the record cannot be kept.
    """
    found: Ids = {"items": len(ids), "ids_digest": ids_digest(ids)}
    known = {"items": data.items, "ids_digest": data.ids_digest}
    for name, expected in known.items():
        if expected is not None and expected != found[name]:
            raise InputError(
                f"suite '{suite}': {_WORDS[name]}: found {found[name]}, expected {expected} ({_both(found)}); "
                "numbers on other items are not comparable: complete the data, or give your subset a suite of its own"
            )
    open_ends = [name for name, expected in known.items() if expected is None]
    if open_ends:
        _remember(suite, record_file(suite, version), {name: found[name] for name in open_ends})


_WORDS = {"items": "number of items", "ids_digest": "sha256 of the sorted ids"}


def _both(found: Ids) -> str:
    return f"{found['items']} ids, digest {found['ids_digest']}"


def _remember(suite: str, path: Path, found: Ids) -> None:
    with cache_errors():
        if not path.is_file():
            write_atomically(path, (json.dumps(found, indent=2) + "\n").encode())
            return
        text = path.read_text(encoding="utf-8")
    try:
        first = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: not valid JSON: {error}; delete it to record anew") from error
    for name, value in found.items():
        if first.get(name) != value:
            raise InputError(
                f"suite '{suite}': {_WORDS[name]}: found {value}, on first use it was {first.get(name)}; "
                f"the data has changed. If it is right now, delete {path}"
            )
