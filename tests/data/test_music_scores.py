from __future__ import annotations

from fractions import Fraction

import pytest

from calm_eval.data import music_pieces
from calm_eval.data.music_pieces import facts, list_text, pieces
from calm_eval.data.music_scores import Note, joined, longest_rest, parse, read_score
from calm_eval.errors import UnavailableError


def note(onset: float, length: float, pitch: int = 60) -> Note:
    return Note(Fraction(onset), Fraction(length), pitch, 0)


def test_tied_notes_are_one() -> None:
    tied = [(note(0, 1), False), (note(1, 2), True), (note(3, 1), False), (note(5, 1), True)]
    assert joined(tied) == [note(0, 3), note(3, 1), note(5, 1)]


def test_the_longest_rest_counts_only_where_no_part_sounds() -> None:
    assert longest_rest([note(0, 1), note(0, 4, 48), note(3, 1), note(4.5, 1), note(7, 1)]) == Fraction(3, 2)


def test_a_chorale_is_read_as_music21_reads_it() -> None:
    pytest.importorskip("music21")
    score, parsed = read_score("bach/bwv66.6.mxl"), parse("bach/bwv66.6.mxl")
    # The first bar is an upbeat of a quarter; nine bars follow, the last of three quarters.
    assert score.bars[:2] == (1, 5)
    assert score.end == 36
    soprano = [note.pitch for note in score.notes if note.part == 0]
    assert soprano[:5] == [73, 71, 69, 71, 73]
    stripped = parsed.stripTies()
    assert len(score.notes) == len(stripped.flatten().notes)
    wanted = sorted((Fraction(n.offset), n.pitch.midi) for part in stripped.parts for n in part.flatten().notes)
    assert sorted((n.onset, n.pitch) for n in score.notes) == wanted


def test_a_missing_file_of_the_corpus_is_named() -> None:
    pytest.importorskip("music21")
    with pytest.raises(UnavailableError, match="bach/none"):
        read_score("bach/none.mxl")


def test_another_music21_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("music21")
    monkeypatch.setattr("calm_eval.data.music_scores.MUSIC21_VERSION", "0.1")
    with pytest.raises(UnavailableError, match=r"calm-eval\[music\]"):
        read_score("bach/bwv66.6.mxl")


def test_known_keys_and_metres() -> None:
    listed = {piece.id: piece for piece in pieces()}
    assert listed["bach/bwv66.6"].key == "F# minor"
    assert listed["bach/bwv253"].key == "A major"


def test_the_list_is_sound() -> None:
    listed = pieces()
    assert len({piece.id.lower() for piece in listed}) == len(listed) > 600
    assert sum(piece.kind == "chorale" for piece in listed) > 340
    assert {piece.metre for piece in listed} <= music_pieces.BEATS.keys()
    assert not any("essen" in piece.path.lower() for piece in listed)
    # The collection calls some tunes of two beats jigs as well (sand jigs, straight jigs).
    jigs = [piece.metre for piece in listed if piece.kind == "jig"]
    assert jigs.count("6/8") > 0.7 * len(jigs)
    assert {piece.metre for piece in listed if piece.kind == "slip jig"} == {"9/8"}
    assert len(list_text(listed)) < 100_000


def test_the_facts_of_the_list_are_found_again() -> None:
    pytest.importorskip("music21")
    for piece in pieces()[::60]:
        assert facts(piece.path, piece.kind) == piece


def test_pieces_that_are_not_fit_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("music21")
    piece = next(piece for piece in pieces() if piece.kind == "jig")
    assert facts(piece.path, "chorale") is None  # one part, not four
    assert facts("bach/bwv66.6.mxl", "reel") is None
    assert facts(piece.path, "jig") == piece
    monkeypatch.setattr(music_pieces, "SHORTEST_SECONDS", 1000.0)
    assert facts(piece.path, "jig") is None


@pytest.mark.slow
def test_the_whole_list_is_made_again() -> None:
    pytest.importorskip("music21")
    assert music_pieces.find_pieces() == pieces()
