"""Identity: one canonical JSON and one hash for everything that is keyed by its content."""

from __future__ import annotations

import hashlib
import json
from typing import Any

SHORT = 12
"""Hex digits of a fingerprint that people are shown."""


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text. Raises ValueError on NaN or infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: Any) -> str:
    """Sha256 (64 hex digits) of the canonical JSON of a value."""
    return hashlib.sha256(canonical_json(value).encode("utf-8")).hexdigest()


def seed_from(*parts: object) -> int:
    """A 63-bit seed that depends on every part and on nothing else (not on order of work, not on the process)."""
    return int(digest([str(part) for part in parts])[:16], 16) >> 1
