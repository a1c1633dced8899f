"""Files whose sha256 nobody published: the one found on first use is written down beside the file and holds from then.

What is published of it, such as its first digits in the file's name, is checked on first use; so is that it is not far
shorter than it should be, as a page or the pointer that stands for a large file in a repository is.
"""

from __future__ import annotations

from pathlib import Path

from calm_eval.assets.catalogue import AssetFile
from calm_eval.assets.checksum import sha256_of
from calm_eval.audio.write import write_atomically
from calm_eval.errors import UnavailableError

RECORD = ".sha256"
LEAST = 0.25
"""How much of its size, which is only about right, a file has to have."""


def expected_sha256(file: AssetFile, folder: Path) -> str | None:
    """The catalogue's, or what was found on first use; None before that. Raises OSError."""
    if file.sha256 is not None:
        return file.sha256
    record = _record(file, folder)
    return record.read_text(encoding="ascii").strip() if record.is_file() else None


def trust(file: AssetFile, path: Path, folder: Path) -> None:
    """Write down the sha256 of `path`, which is to be the file of this name in `folder`.

    Raises UnavailableError, having removed `path`, where it is far too short or its sha256 does not begin as published;
    OSError.
    """
    size = path.stat().st_size
    if size < LEAST * file.size:
        path.unlink()
        raise UnavailableError(
            f"the file from {file.source} has {size} bytes where about {file.size} are expected: a page or a pointer, "
            "not the file; nothing of it was kept"
        )
    found = sha256_of(path)
    if not found.startswith(file.sha256_prefix):
        path.unlink()
        raise UnavailableError(
            f"the file from {file.source} has the wrong sha256: expected {file.sha256_prefix}..., found {found}; "
            "nothing of it was kept"
        )
    write_atomically(_record(file, folder), f"{found}\n".encode())


def _record(file: AssetFile, folder: Path) -> Path:
    return folder / f"{file.name}{RECORD}"
