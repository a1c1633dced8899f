"""sha256 of files on disk, and of each unchanged file only once in a process."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from calm_eval.errors import UnavailableError


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes, in lower-case hex. Raises OSError when it cannot be read."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_once(path: Path) -> str:
    """As `sha256_of`, but a file whose identity, size and times are unchanged is read only once in a process."""
    found = path.stat()
    return _remembered(path, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))


@functools.lru_cache(maxsize=1024)
def _remembered(path: Path, identity: tuple[int, ...]) -> str:
    # `identity` only keys the memory: any change of the file asks for a new reading.
    return sha256_of(path)


def require_sha256(path: Path, expected: str, what: str) -> None:
    """Delete `path` and raise UnavailableError, naming both hashes, when its sha256 is not `expected`."""
    found = sha256_of(path)
    if found != expected:
        path.unlink()
        raise UnavailableError(
            f"{what} has the wrong sha256: expected {expected}, found {found}; nothing of it was kept"
        )
