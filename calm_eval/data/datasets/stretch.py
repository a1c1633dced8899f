"""How long a file is, and a part of it as a clip of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import soundfile

from calm_eval.assets.cache import cache_errors
from calm_eval.assets.checksum import sha256_once
from calm_eval.data.cut import cut
from calm_eval.data.item import AudioRef
from calm_eval.errors import InputError


@dataclass(frozen=True)
class Length:
    """Frames of a file at its rate in Hz, from its header."""

    frames: int
    rate: int

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.rate


def length_of(where: str, path: Path) -> Length:
    """The length that a file's header announces. Raises InputError when it is no audio or holds no frame."""
    try:
        header = soundfile.info(str(path))
    except (soundfile.LibsndfileError, OSError, RuntimeError, TypeError) as error:
        raise InputError(f"{where}: '{path}' is not readable as audio: {error}") from error
    if header.frames == 0:
        raise InputError(f"{where}: '{path}' holds no frames: its duration is 0 s")
    return Length(int(header.frames), int(header.samplerate))


def stretch(where: str, path: Path, rate: int, first: int, last: int) -> AudioRef:
    """Frames [first, last) of a file, written once into the cache. Its identity needs no decoding: bytes and ends.

    Raises InputError when the file does not decode to that length, StoreError when the cache cannot be used.
    """
    with cache_errors():
        source = AudioRef(path, f"file {sha256_once(path)}")
    try:
        return cut(source, first / rate, last / rate)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
