"""Reading audio files: what libsndfile reads (WAV, FLAC, OGG, Opus, MP3), any rate, depth and channel count."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import soundfile

from calm_eval.audio.clip import Clip


class AudioError(Exception):
    """An audio file that cannot be used: `name` is `missing`, `unreadable`, `truncated`, `empty` or `nan`."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


def read_audio(path: Path) -> Clip:
    """Decode a whole file, NaN samples and zero length included. Raises AudioError (missing, unreadable, truncated)."""
    if not path.is_file():
        raise AudioError("missing", f"{path.name}: no such file")
    try:
        with soundfile.SoundFile(path) as file:
            announced = int(file.frames)
            samples = file.read(dtype="float32", always_2d=True)
            rate = int(file.samplerate)
    except (soundfile.LibsndfileError, OSError, RuntimeError, TypeError) as error:
        raise AudioError("unreadable", f"{path.name}: not readable as audio: {error}") from error
    # Containers that are written as a stream announce a length they could not know.
    if len(samples) < announced < 2**40 or _wav_is_cut(path):
        raise AudioError("truncated", f"{path.name}: the file ends before the length that its header announces")
    return Clip(np.ascontiguousarray(samples.T), rate)


def read_sound(path: Path) -> Clip:
    """Decode a file that must hold sound: at least one frame, finite samples. Raises AudioError (all its names)."""
    clip = read_audio(path)
    if clip.frames == 0:
        raise AudioError("empty", f"{path.name}: holds no frames")
    if not np.isfinite(clip.samples).all():
        raise AudioError("nan", f"{path.name}: holds samples that are not finite")
    return clip


def _wav_is_cut(path: Path) -> bool:
    """Whether a RIFF file is shorter than its data chunk says; libsndfile reads such a file without a word."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return False
        while len(chunk := file.read(8)) == 8:
            name, length = struct.unpack("<4sI", chunk)
            if name == b"data":
                streamed = length in (0, 0xFFFFFFFF)
                return not streamed and file.tell() + length > size
            file.seek(length + (length & 1), 1)
    return False
