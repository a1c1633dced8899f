"""From rows to items: lengths are checked, prompts are cut from references, audio gets its identity."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from calm_eval.data.datasets.entry import LONGEST, Entry
from calm_eval.data.datasets.stretch import Length, length_of, stretch
from calm_eval.data.item import AudioRef, Item
from calm_eval.data.manifest import file_identity
from calm_eval.errors import InputError

TOLERANCE = 0.1
"""Seconds by which a list and a file may disagree on a length: lists round, and resampled copies end a little off."""


@dataclass(frozen=True)
class Shape:
    """Options of every loader; all lengths in seconds.

    `prompt_seconds`: a continuation. The start of the reference becomes the prompt, what comes after it the reference;
    the text goes, because it also tells what is to come. `max_prompt_seconds`, `max_reference_seconds`: no more than
    the first so many of each are used. `seconds`: what a system is asked for. `min_seconds`: rows with a shorter
    reference are left out.
    """

    prompt_seconds: float | None = None
    max_prompt_seconds: float | None = None
    max_reference_seconds: float | None = None
    seconds: float | None = None
    min_seconds: float | None = None

    @classmethod
    def split(cls, options: dict[str, Any]) -> tuple[Shape, dict[str, Any]]:
        """The shape that is asked for, and the options that are left for the loader. Raises InputError."""
        names = [field.name for field in fields(cls)]
        mine = {name: value for name, value in options.items() if name in names}
        for name, value in mine.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < LONGEST:
                raise InputError(f"option '{name}': {value!r} is no length in seconds above 0 and below ten hours")
        return cls(**mine), {name: value for name, value in options.items() if name not in names}


def shape_items(entries: Sequence[Entry], shape: Shape) -> list[Item]:
    """One item a row, in order. Raises InputError with the row's place, StoreError when a cut cannot be kept."""
    made = [item for entry in entries if (item := _item(entry, shape)) is not None]
    if not made:
        raise InputError(f"{entries[0].where}: every row is shorter than min_seconds = {shape.min_seconds}")
    return made


def _whole(path: Path) -> AudioRef:
    found = path.stat()
    return AudioRef(path, _identity(path, found.st_size, found.st_mtime_ns))


@functools.lru_cache(maxsize=8192)
def _identity(path: Path, size: int, changed: int) -> str:
    # Many rows share a prompt or a recording. Size and time only key the memory: a changed file is decoded again.
    return file_identity(path)


def _item(entry: Entry, shape: Shape) -> Item | None:
    prompt = _prompt(entry, shape)
    if entry.reference is None:
        if shape.prompt_seconds is not None or shape.min_seconds is not None:
            raise InputError(f"{entry.where}: '{entry.id}' has no audio to cut or to measure")
        return _made(entry, shape, prompt, None, None)
    length = length_of(entry.where, entry.reference)
    _agree(entry, "reference", entry.reference_seconds, length)
    first, last = _frames(entry, length)
    if shape.min_seconds is not None and last - first < round(shape.min_seconds * length.rate):
        return None
    if shape.prompt_seconds is not None:
        middle = first + round(shape.prompt_seconds * length.rate)
        if middle >= last:
            raise InputError(
                f"{entry.where}: '{entry.id}' lasts {(last - first) / length.rate:g} s: nothing is left after a prompt "
                f"of {shape.prompt_seconds:g} s; set min_seconds"
            )
        prompt = stretch(entry.where, entry.reference, length.rate, first, middle)
        first = middle
    if shape.max_reference_seconds is not None:
        last = min(last, first + round(shape.max_reference_seconds * length.rate))
    if (first, last) == (0, length.frames):
        reference = _whole(entry.reference)
    else:
        reference = stretch(entry.where, entry.reference, length.rate, first, last)
    continued = (last - first) / length.rate if shape.prompt_seconds is not None else None
    return _made(entry, shape, prompt, reference, continued)


def _made(
    entry: Entry, shape: Shape, prompt: AudioRef | None, reference: AudioRef | None, continued: float | None
) -> Item:
    return Item(
        id=entry.id,
        text=entry.text if shape.prompt_seconds is None else None,
        speaker=entry.speaker,
        prompt=prompt,
        reference=reference,
        duration=shape.seconds or continued or entry.duration,
    )


def _prompt(entry: Entry, shape: Shape) -> AudioRef | None:
    if entry.prompt is None:
        return None
    length = length_of(entry.where, entry.prompt)
    _agree(entry, "prompt", entry.prompt_seconds, length)
    if shape.max_prompt_seconds is not None:
        most = round(shape.max_prompt_seconds * length.rate)
        if most < length.frames:
            return stretch(entry.where, entry.prompt, length.rate, 0, most)
    return _whole(entry.prompt)


def _agree(entry: Entry, name: str, told: float | None, length: Length) -> None:
    if told is not None and abs(told - length.seconds) > TOLERANCE:
        raise InputError(
            f"{entry.where}: '{entry.id}': the {name} lasts {length.seconds:.3f} s, the list says {told:g} s: "
            "another recording under this name?"
        )


def _frames(entry: Entry, length: Length) -> tuple[int, int]:
    """First and last frame of what the row means; a row may end `TOLERANCE` after its file."""
    if entry.span is None:
        return 0, length.frames
    start, seconds = entry.span
    if start + seconds > length.seconds + TOLERANCE:
        raise InputError(
            f"{entry.where}: '{entry.id}' ends at {start + seconds:g} s, but '{entry.reference}' lasts "
            f"{length.seconds:.3f} s"
        )
    first, last = round(start * length.rate), min(round((start + seconds) * length.rate), length.frames)
    if first >= last:
        raise InputError(f"{entry.where}: '{entry.id}' begins at {start:g} s, the end of '{entry.reference}'")
    # Manifests round lengths: a row that ends within a hundredth of a second of its file means all of it.
    return first, length.frames if length.frames - last < 0.01 * length.rate else last
