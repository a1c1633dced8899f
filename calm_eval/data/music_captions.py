"""Captions of music clips, made of facts: kind, sounding key, metre in words, instrument, tempo."""

from __future__ import annotations

from calm_eval.errors import InputError
from calm_eval.keys import seed_from

METRE_WORDS = {
    "2/4": "two-four",
    "3/4": "three-four",
    "4/4": "four-four",
    "2/2": "two-two",
    "6/8": "six-eight",
    "9/8": "nine-eight",
}
TONICS = {
    "major": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "minor": ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "G#", "A", "Bb", "B"),
}
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SLOW_BELOW = 84
FAST_ABOVE = 112
PATTERNS = (
    "{A} {pace} {kind} in {key}, {metre} time, played on {instrument} at {tempo} beats per minute.",
    "{Instrument} playing {a} {pace} {kind} in {key}: {metre} time, {tempo} beats per minute.",
    "{A} {kind} in {metre} time and {key}, {pace} at {tempo} beats per minute, for {instrument}.",
)


def pitch_class(tonic: str) -> int:
    """Semitones above C of a tonic such as `F#` or `Bb`. Raises InputError for anything else."""
    if not tonic or tonic[0] not in STEPS or set(tonic[1:]) - {"#", "b"}:
        raise InputError(f"'{tonic}' is no tonic such as F# or Bb")
    return (STEPS[tonic[0]] + tonic.count("#") - tonic.count("b")) % 12


def transposed_key(key: str, semitones: int) -> str:
    """The key that sounds, e.g. `A minor` up 3 is `C minor`, under its usual name (`Db major`, but `C# minor`).

    Raises InputError when `key` is not a tonic and `major` or `minor`.
    """
    tonic, _, mode = key.partition(" ")
    if mode not in TONICS:
        raise InputError(f"'{key}' is no key such as F# minor")
    return f"{TONICS[mode][(pitch_class(tonic) + semitones) % 12]} {mode}"


def pace(tempo: int) -> str:
    """The word for a tempo in beats per minute: `slow` under 84, `fast` over 112, else `moderate`."""
    if tempo < SLOW_BELOW:
        return "slow"
    return "fast" if tempo > FAST_ABOVE else "moderate"


def caption(kind: str, key: str, metre: str, tempo: int, instrument: str, clip: str) -> str:
    """One sentence that is true of a clip. `key` is the sounding one, `tempo` in beats a minute, in digits.

    `instrument` has its article where it takes one. `clip` is the clip's id and chooses the pattern and nothing else.
    Raises InputError for an unknown metre.
    """
    if metre not in METRE_WORDS:
        raise InputError(f"no words for the metre '{metre}'")
    pattern = PATTERNS[seed_from("caption", clip) % len(PATTERNS)]
    # All the words that can follow (slow, moderate, fast, chorale, reel, ...) begin with a consonant.
    return pattern.format(
        A="A",
        a="a",
        pace=pace(tempo),
        kind=kind,
        key=key,
        metre=METRE_WORDS[metre],
        tempo=tempo,
        instrument=instrument,
        Instrument=instrument[0].upper() + instrument[1:],
    )
