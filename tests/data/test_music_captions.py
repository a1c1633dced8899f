from __future__ import annotations

import pytest

from calm_eval.data.music_captions import PATTERNS, TONICS, caption, pace, pitch_class, transposed_key
from calm_eval.errors import InputError


@pytest.mark.parametrize(
    ("key", "semitones", "sounding"),
    [
        ("C major", 0, "C major"),
        ("C major", 1, "Db major"),
        ("A minor", 3, "C minor"),
        ("C minor", -1, "B minor"),
        ("F# minor", 2, "G# minor"),
        ("Bb major", 2, "C major"),
        ("D# minor", 0, "Eb minor"),
    ],
)
def test_a_transposed_key_has_its_usual_name(key: str, semitones: int, sounding: str) -> None:
    assert transposed_key(key, semitones) == sounding


@pytest.mark.parametrize("mode", ["major", "minor"])
def test_twelve_semitones_and_there_and_back_change_nothing(mode: str) -> None:
    assert len({pitch_class(tonic) for tonic in TONICS[mode]}) == 12
    for tonic in TONICS[mode]:
        key = f"{tonic} {mode}"
        assert transposed_key(key, 12) == key
        assert all(transposed_key(transposed_key(key, step), -step) == key for step in range(-3, 4))


def test_names_of_keys_agree_with_music21() -> None:
    pitch = pytest.importorskip("music21.pitch")
    for tonic in {*TONICS["major"], *TONICS["minor"]}:
        assert pitch_class(tonic) == pitch.Pitch(tonic.replace("b", "-")).pitchClass


@pytest.mark.parametrize("key", ["C", "C dorian", "H major", "", " minor", "Cis minor"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(InputError):
        transposed_key(key, 0)


def test_the_word_for_a_tempo() -> None:
    assert [pace(tempo) for tempo in (72, 83, 84, 112, 113, 132)] == ["slow"] * 2 + ["moderate"] * 2 + ["fast"] * 2


def test_every_pattern_says_every_fact() -> None:
    said = {caption("chorale", "G major", "4/4", 76, "a church organ", f"clip-{n}") for n in range(40)}
    assert len(said) == len(PATTERNS)
    for text in said:
        for fact in ("slow", "chorale", "G major", "four-four time", "church organ", "76 beats per minute"):
            assert text.count(fact) == 1, text
        assert text[0].isupper()
        assert text.endswith(".")
    assert "A slow chorale in G major, four-four time, played on a church organ at 76 beats per minute." in said


def test_the_pattern_depends_on_the_clip_alone() -> None:
    one = caption("jig", "D major", "6/8", 120, "strings", "x")
    assert one == caption("jig", "D major", "6/8", 120, "strings", "x")
    other = caption("reel", "A minor", "2/4", 80, "a flute", "x")
    for ours, theirs in (
        ("fast", "slow"),
        ("jig", "reel"),
        ("D major", "A minor"),
        ("six-eight", "two-four"),
        ("120", "80"),
        ("Strings", "A flute"),
        ("strings", "a flute"),
    ):
        one = one.replace(ours, theirs)
    assert one == other


def test_an_unknown_metre_is_refused() -> None:
    with pytest.raises(InputError, match="7/8"):
        caption("reel", "A minor", "7/8", 80, "a flute", "x")
