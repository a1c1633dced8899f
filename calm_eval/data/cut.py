"""Stretches of longer audio, each written once into the cache under an identity made of its source and its ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calm_eval.assets import cache_folder
from calm_eval.assets.cache import cache_errors
from calm_eval.audio.clip import Clip
from calm_eval.audio.read import AudioError, read_sound
from calm_eval.audio.write import encode_flac, write_atomically
from calm_eval.data.item import AudioRef
from calm_eval.errors import InputError
from calm_eval.keys import digest

CUT_VERSION = 1  # raised by hand when the same source and ends give other audio


def cut(source: AudioRef, start: float, end: float) -> AudioRef:
    """The samples of an audio from second `start` up to second `end`, as a FLAC file of its own.

    Ends are rounded to whole samples; rate, channels and depth stay, and nothing is faded. The identity needs no
    decoding, and the file is written where it is not there yet. Raises InputError when the source cannot be read or
    ends before `end`, StoreError when the cache cannot be written.
    """
    if not 0 <= start < end:
        raise InputError(f"cannot cut from {start:g} to {end:g} s: give a start of at least 0 and an end after it")
    identity = digest({"cut": CUT_VERSION, "source": source.identity, "start": float(start), "end": float(end)})
    path = cache_folder() / "cuts" / identity[:2] / f"{identity}.flac"
    if not path.is_file():
        _, data = encode_flac(_stretch(source.path, start, end))
        with cache_errors():
            write_atomically(path, data)
    return AudioRef(path, identity)


def _stretch(path: Path, start: float, end: float) -> Clip:
    try:
        clip = read_sound(path)
    except AudioError as error:
        raise InputError(f"{path}: {error.name}: {error}") from error
    first, last = round(start * clip.sample_rate), round(end * clip.sample_rate)
    if last > clip.frames or first == last:
        raise InputError(f"{path}: has {clip.seconds:g} s, and the stretch from {start:g} to {end:g} s is not in it")
    return Clip(np.ascontiguousarray(clip.samples[:, first:last]), clip.sample_rate)
