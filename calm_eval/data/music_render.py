"""Play notes on one General MIDI instrument: ten seconds of mono sound."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from calm_eval.audio.clip import Clip
from calm_eval.audio.resample import to_mono
from calm_eval.data.music_midi import TimedNote, midi_bytes
from calm_eval.data.music_scores import Note
from calm_eval.errors import InputError, UnavailableError

SOUNDFONT_ASSET = "timgm6mb-sf2"
SOUNDFONT_FILE = "TimGM6mb.sf2"
RENDERER_VERSION = "0.1.3"
RATE = 16_000
SECONDS = 10.0
PEAK = 0.5


@dataclass(frozen=True)
class Instrument:
    """`phrase` is the name in a sentence, `program` the General MIDI one from 0, the range is in MIDI pitches."""

    name: str
    phrase: str
    program: int
    lowest: int
    highest: int

    @property
    def slug(self) -> str:
        """The last word of the name, for ids."""
        return self.name.split()[-1]


INSTRUMENTS = (
    Instrument("piano", "a piano", 0, 28, 96),
    Instrument("harpsichord", "a harpsichord", 6, 29, 88),
    Instrument("church organ", "a church organ", 19, 36, 93),
    Instrument("guitar", "a guitar", 24, 40, 84),
    Instrument("strings", "strings", 48, 36, 96),
    Instrument("trumpet", "a trumpet", 56, 52, 84),
    Instrument("flute", "a flute", 73, 60, 96),
    Instrument("marimba", "a marimba", 12, 45, 96),
)


def octaves_into_range(pitches: Sequence[int], lowest: int, highest: int) -> int:
    """The shift in octaves with the fewest of `pitches` outside the range; of equal ones the smallest, then up."""
    shifts = sorted(range(-5, 6), key=lambda octaves: (abs(octaves), -octaves))
    return min(shifts, key=lambda octaves: sum(not lowest <= pitch + 12 * octaves <= highest for pitch in pitches))


def excerpt(notes: Sequence[Note], start: Fraction, seconds_per_quarter: float, seconds: float) -> list[Note]:
    """The notes that begin in the `seconds` from `start` (quarter notes), and those held over it, from there on."""
    end = start + Fraction(seconds / seconds_per_quarter)
    inside: list[Note] = []
    for note in notes:
        stop = note.onset + note.length
        if stop > start and note.onset < end:
            onset = max(note.onset, start)
            inside.append(Note(onset - start, stop - onset, note.pitch, note.part))
    return inside


def played(
    notes: Sequence[Note], instrument: Instrument, semitones: int, seconds_per_quarter: float
) -> list[TimedNote]:
    """The notes as they sound on an instrument: transposed, then each part in octaves that the instrument has.

    A part is one MIDI channel. A note that would overlap the next of its pitch and channel ends there.
    """
    sounding: list[TimedNote] = []
    for part in sorted({note.part for note in notes}):
        own = sorted((note for note in notes if note.part == part), key=lambda note: (note.onset, note.pitch))
        octaves = octaves_into_range([note.pitch + semitones for note in own], instrument.lowest, instrument.highest)
        next_start: dict[int, float] = {}
        for note in reversed(own):
            start, pitch = float(note.onset) * seconds_per_quarter, note.pitch + semitones + 12 * octaves
            stop = min(start + float(note.length) * seconds_per_quarter, next_start.get(pitch, np.inf))
            if stop > start:
                sounding.append(TimedNote(start, stop, pitch, part))
                next_start[pitch] = start
    return sorted(sounding, key=lambda note: (note.start, note.channel, note.pitch))


def scaled_to_peak(samples: NDArray[np.float32], peak: float) -> NDArray[np.float32]:
    """`samples` times the gain that makes their largest absolute value `peak`. Raises InputError for silence."""
    largest = float(np.abs(samples).max(initial=0.0))
    if largest == 0.0:
        raise InputError("the rendered clip is silent")
    return (samples * np.float32(peak / largest)).astype(np.float32)


class Renderer:
    """A soundfont and midirenderer. Raises UnavailableError when either is missing or not of the named version."""

    def __init__(self) -> None:
        from importlib import metadata

        from calm_eval.assets import fetch

        try:
            found = metadata.version("midirenderer")
        except metadata.PackageNotFoundError as error:
            raise UnavailableError("midirenderer is missing: pip install 'calm-eval[music]'") from error
        if found != RENDERER_VERSION:
            raise UnavailableError(
                f"the mini corpus is rendered by midirenderer {RENDERER_VERSION}, installed is {found}: "
                "pip install 'calm-eval[music]'"
            )
        self._soundfont = (fetch(SOUNDFONT_ASSET) / SOUNDFONT_FILE).read_bytes()

    def render(self, notes: Sequence[TimedNote], instrument: Instrument) -> NDArray[np.float32]:
        """Mono float32 [160000] at 16 kHz, the first 10.0 s of the notes, scaled to a peak of 0.5.

        Each clip is scaled on its own: under one gain a lone flute would be far softer than four parts of an organ.
        Raises InputError when nothing sounds.
        """
        import soundfile
        from midirenderer import render_wave_from

        # A note past the end keeps the renderer going: what follows the clip is cut off.
        lasting = [*notes, TimedNote(SECONDS + 0.1, SECONDS + 0.2, notes[-1].pitch, 15)]
        wave = render_wave_from(self._soundfont, midi_bytes(lasting, instrument.program))
        stereo, rate = soundfile.read(io.BytesIO(wave), dtype="float32", always_2d=True)
        window = np.ascontiguousarray(stereo[: round(SECONDS * rate)].T)
        return scaled_to_peak(to_mono(Clip(window, rate), RATE), PEAK)
