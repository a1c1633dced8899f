"""Scores of the music21 corpus as plain notes, read as written: no repeats, no ornaments, no chord symbols."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from calm_eval.errors import UnavailableError

MUSIC21_VERSION = "10.5.1"


@dataclass(frozen=True)
class Note:
    """One note: `onset` and `length` in quarter notes, from the start of the piece; `pitch` is MIDI (60 is C4)."""

    onset: Fraction
    length: Fraction
    pitch: int
    part: int


@dataclass(frozen=True)
class Score:
    """The notes of a piece, by onset, and where its full bars begin (quarter notes; an upbeat bar is not listed)."""

    notes: tuple[Note, ...]
    bars: tuple[Fraction, ...]

    @property
    def end(self) -> Fraction:
        """Where the last note ends, in quarter notes."""
        return max(note.onset + note.length for note in self.notes)


def corpus_files() -> Path:
    """The folder of the music21 corpus. Raises UnavailableError when music21 is missing or of another version."""
    from importlib import metadata, util

    try:
        found = metadata.version("music21")
    except metadata.PackageNotFoundError as error:
        raise UnavailableError("music21 is missing: pip install 'calm-eval[music]'") from error
    if found != MUSIC21_VERSION:
        raise UnavailableError(
            f"the mini corpus is made with music21 {MUSIC21_VERSION}, installed is {found}: "
            "pip install 'calm-eval[music]'"
        )
    spec = util.find_spec("music21")
    if spec is None or spec.origin is None:
        raise UnavailableError("music21 is installed without its files: pip install 'calm-eval[music]'")
    return Path(spec.origin).parent / "corpus"


def parse(path: str) -> Any:
    """The music21 score of a corpus file, e.g. `bach/bwv66.6.mxl`. Raises UnavailableError when it is not there."""
    file = corpus_files() / path
    if not file.is_file():
        raise UnavailableError(f"music21 is installed without the corpus file {path}: pip install 'calm-eval[music]'")
    from music21 import converter

    # No pickles: a stored one could come from another state of the file.
    return converter.parseFile(str(file), forceSource=True, storePickle=False)


def read_score(path: str) -> Score:
    """The notes and bars of a corpus file. Raises UnavailableError."""
    return score_of(parse(path))


def score_of(parsed: Any) -> Score:
    """The notes and bars of a music21 score; tied notes are one note, all notes of a chord count."""
    notes: list[Note] = []
    for number, part in enumerate(parsed.parts):
        notes.extend(joined(_sounding(part, number)))
    bars = sorted(
        Fraction(measure.offset)
        for measure in parsed.parts[0].getElementsByClass("Measure")
        if measure.duration.quarterLength >= measure.barDuration.quarterLength
    )
    return Score(tuple(sorted(notes, key=lambda note: (note.onset, note.part, note.pitch))), tuple(bars))


def _sounding(part: Any, number: int) -> Iterable[tuple[Note, bool]]:
    """Each note that has a length, and whether a tie makes it go on from the one before."""
    for element in part.flatten().notes:
        if "Harmony" in element.classes or element.duration.isGrace or element.quarterLength <= 0:
            continue
        for single in element.notes if element.isChord else (element,):
            tie = single.tie or element.tie
            held = tie is not None and tie.type in ("stop", "continue")
            yield Note(Fraction(element.offset), Fraction(element.quarterLength), int(single.pitch.midi), number), held


def joined(notes: Iterable[tuple[Note, bool]]) -> list[Note]:
    """Notes of one part with tied ones joined. A tie that starts nowhere is a note of its own."""
    done: list[Note] = []
    for note, held in notes:
        before = next((i for i in reversed(range(len(done))) if done[i].pitch == note.pitch), None)
        if held and before is not None and done[before].onset + done[before].length == note.onset:
            first = done[before]
            done[before] = Note(first.onset, first.length + note.length, first.pitch, first.part)
        else:
            done.append(note)
    return done


def longest_rest(notes: Sequence[Note]) -> Fraction:
    """The longest time between two notes in which no part sounds, in quarter notes. `notes` by onset."""
    longest, end = Fraction(0), notes[0].onset
    for note in notes:
        longest = max(longest, note.onset - end)
        end = max(end, note.onset + note.length)
    return longest
