"""Assets: pretrained weights and voices, pinned by sha256, fetched on first use, offline afterwards."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from calm_eval.assets.cache import cache_folder
    from calm_eval.assets.catalogue import Asset, AssetFile, load_catalogue
    from calm_eval.assets.resolver import fetch, status, verify, weights

__all__ = ["Asset", "AssetFile", "cache_folder", "fetch", "load_catalogue", "status", "verify", "weights"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing this package costs nothing."""
    homes = {
        "cache_folder": "cache",
        "Asset": "catalogue",
        "AssetFile": "catalogue",
        "load_catalogue": "catalogue",
        "fetch": "resolver",
        "status": "resolver",
        "verify": "resolver",
        "weights": "resolver",
    }
    if name not in homes:
        raise AttributeError(f"module {__name__} has no '{name}'")
    return getattr(importlib.import_module(f"{__name__}.{homes[name]}"), name)
