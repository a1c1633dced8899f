from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from calm_eval.data import music_corpus
from calm_eval.data.corpus import CorpusClip
from calm_eval.data.music_corpus import (
    RENDERS,
    SHARES,
    MusicCorpus,
    Take,
    longest_gap,
    make_clip,
    possible_starts,
    split_of,
    takes,
)
from calm_eval.data.music_midi import TimedNote
from calm_eval.data.music_pieces import BEATS, pieces
from calm_eval.data.music_render import INSTRUMENTS, Renderer, excerpt, octaves_into_range, played, scaled_to_peak
from calm_eval.data.music_scores import Note, Score, read_score
from calm_eval.errors import InputError, UnavailableError

GUITAR = next(instrument for instrument in INSTRUMENTS if instrument.name == "guitar")


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    pytest.importorskip("music21")
    pytest.importorskip("midirenderer")
    return Renderer()


def line(*rows: tuple[float, float, int]) -> tuple[Note, ...]:
    return tuple(Note(Fraction(onset), Fraction(length), pitch, 0) for onset, length, pitch in rows)


def sounding(take: Take, score: Score) -> list[TimedNote]:
    pace = take.seconds_per_quarter
    starts = possible_starts(score, pace)
    heard = excerpt(score.notes, starts[int(take.start_draw * len(starts))], pace, 10.0)
    return played(heard, take.instrument, take.semitones, pace)


def test_shares_of_the_splits() -> None:
    assert sum(share for _, share in SHARES) == pytest.approx(1.0)
    found = Counter(split_of(f"piece/{number}") for number in range(20_000))
    for split, share in SHARES:
        # Five standard deviations of a binomial.
        assert found[split] / 20_000 == pytest.approx(share, abs=5 * (share * (1 - share) / 20_000) ** 0.5)


def test_the_clips_that_there_will_be() -> None:
    made = [take for piece in pieces() for take in takes(piece)]
    assert MusicCorpus().count == len(made) == len({take.id for take in made})
    found = Counter(take.split for take in made)
    assert found["train"] >= 1300
    assert found["valid"] >= 50
    assert found["test"] >= 240
    assert found["reference_set"] >= 420
    splits: dict[str, set[str]] = {}
    for take in made:
        splits.setdefault(take.piece.id, set()).add(take.split)
        assert take.id == take.id.lower()
        assert set(take.id) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    assert all(len(of_piece) == 1 for of_piece in splits.values())
    for piece in pieces():
        of_piece = takes(piece)
        assert len({take.instrument.name for take in of_piece}) == len(of_piece) in RENDERS[split_of(piece.id)]
    for split in ("train", "test", "reference_set"):
        shares = Counter(take.instrument.name for take in made if take.split == split)
        assert len(shares) == 8
        assert min(shares.values()) > 0.06 * found[split]


def test_the_identity_is_quick_and_the_same_in_another_process() -> None:
    start = time.process_time()
    identity = MusicCorpus().identity
    assert time.process_time() - start < 1.0
    code = (
        "import sys; from calm_eval.data.music_corpus import MusicCorpus as M; print(M().identity);"
        "print([name for name in ('music21', 'midirenderer', 'scipy', 'torch') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split("\n")
    assert said[:2] == [identity, "[]"]


@pytest.mark.parametrize("choice", ["BUILDER", "RENDERS", "TRANSPOSITIONS", "PEAK", "INSTRUMENTS", "PATTERNS"])
def test_the_identity_follows_every_choice(monkeypatch: pytest.MonkeyPatch, choice: str) -> None:
    before = MusicCorpus().identity
    changed = {"BUILDER": 0, "RENDERS": {"train": (1, 1)}, "PEAK": 0.4}.get(choice, getattr(music_corpus, choice, ()))
    monkeypatch.setattr(music_corpus, choice, changed[:-1] if isinstance(changed, tuple) else changed)
    assert MusicCorpus().identity != before


def test_a_clip_starts_where_music_fills_it() -> None:
    notes = line((0, 8, 60), (9.5, 10.5, 60))
    bars = tuple(Fraction(4 * bar) for bar in range(5))
    # A quarter lasts a second: a gap of 1.5 s from 8 to 9.5, and the music ends at 20.
    assert possible_starts(Score(notes, bars), 1.0) == ()
    # At half the speed a clip is five quarters and the gap 3 s: bars 0, 3 (at 12) are free of it.
    assert possible_starts(Score(notes, bars), 2.0) == (0, 12)
    assert longest_gap(notes, Fraction(7), Fraction(17)) == 1.5
    assert longest_gap(notes, Fraction(12), Fraction(25)) == 5.0


def test_an_excerpt_holds_what_is_heard() -> None:
    notes = line((0, 2, 60), (2, 4, 62), (5, 1, 64), (8, 1, 65))
    assert excerpt(notes, Fraction(4), 0.5, 2.0) == list(line((0, 2, 62), (1, 1, 64)))


def test_octaves() -> None:
    assert octaves_into_range([60, 70], 55, 80) == 0
    assert octaves_into_range([36, 50], 60, 96) == 2
    assert octaves_into_range([100], 60, 96) == -1
    assert octaves_into_range([60, 90], 60, 84) == 0  # one note is outside whatever the shift


def test_transposed_notes_move_by_semitones_and_octaves() -> None:
    notes = line((0, 1, 60), (1, 1, 67))
    by_three = played(notes, GUITAR, 3, 0.5)
    assert [(note.start, note.stop, note.pitch) for note in by_three] == [(0.0, 0.5, 63), (0.5, 1.0, 70)]
    low = played(line((0, 1, 30), (1, 1, 37)), GUITAR, 0, 0.5)
    assert [note.pitch for note in low] == [42, 49]


def test_a_note_ends_before_its_pitch_is_struck_again() -> None:
    found = played(line((0, 3, 60), (1, 1, 60)), GUITAR, 0, 1.0)
    assert [(note.start, note.stop) for note in found] == [(0.0, 1.0), (1.0, 2.0)]


def test_scaled_to_peak() -> None:
    samples = np.array([0.1, -0.2, 0.0], dtype=np.float32)
    assert scaled_to_peak(samples, 0.5) == pytest.approx([0.25, -0.5, 0.0])
    with pytest.raises(InputError, match="silent"):
        scaled_to_peak(np.zeros(4, dtype=np.float32), 0.5)


def test_every_piece_but_few_notes_fit_the_instruments(renderer: Renderer) -> None:
    for piece in pieces()[::90]:
        score = read_score(piece.path)
        for take in takes(piece):
            notes = sounding(take, score)
            low, high = take.instrument.lowest, take.instrument.highest
            assert np.mean([not low <= note.pitch <= high for note in notes]) < 0.1, take.id


def test_clips_are_ten_seconds_loud_and_end_in_sound(renderer: Renderer) -> None:
    for piece in pieces()[::100]:
        score = read_score(piece.path)
        for take in takes(piece)[:2]:
            clip = make_clip(take, score, renderer)
            assert clip.samples.shape == (160_000,)
            assert np.abs(clip.samples).max() == pytest.approx(0.5, abs=1e-6)
            seconds = np.sqrt(np.mean(clip.samples.reshape(10, -1).astype(np.float64) ** 2, axis=1))
            assert seconds.min() > 0.003, take.id
            assert f"tempo:{take.tempo}" in clip.tags
            assert f" {take.tempo} beats" in (clip.text or "")


def test_the_same_bytes_again(renderer: Renderer) -> None:
    take = takes(pieces()[0])[0]
    first, again = (make_clip(take, read_score(take.piece.path), renderer) for _ in range(2))
    assert first.samples.tobytes() == again.samples.tobytes()
    assert (first.text, first.tags) == (again.text, again.tags)


def test_the_corpus_gives_what_it_says(renderer: Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    few = (pieces()[0], pieces()[-1])
    monkeypatch.setattr(music_corpus, "pieces", lambda: few)
    clips = list(MusicCorpus().clips())
    assert len(clips) == MusicCorpus().count
    assert [clip.id for clip in clips] == [take.id for piece in few for take in takes(piece)]
    assert all(clip.speaker is None and clip.rate == 16_000 for clip in clips)


def pitch_errors(take: Take, clip: CorpusClip) -> list[float]:
    """Semitones from each note of the score to the median of an independent pitch estimate in the first 4 s."""
    librosa = pytest.importorskip("librosa")
    estimate, _, _ = librosa.pyin(
        clip.samples[:64_000], fmin=150, fmax=1600, sr=16_000, frame_length=1024, hop_length=160
    )
    errors = []
    for note in sounding(take, read_score(take.piece.path)):
        inside = estimate[round(note.start * 100) + 4 : round(min(note.stop, 4.0) * 100) - 2]
        inside = inside[np.isfinite(inside)]
        if len(inside) >= 5:
            errors.append(float(librosa.hz_to_midi(np.median(inside))) - note.pitch)
    return errors


def test_a_tune_sounds_at_the_pitches_and_times_of_its_score(renderer: Renderer) -> None:
    take = next(
        take
        for piece in pieces()
        if piece.kind == "slip jig"
        for take in takes(piece)
        if take.instrument.name == "piano" and take.semitones != 0
    )
    errors = pitch_errors(take, make_clip(take, read_score(take.piece.path), renderer))
    assert len(errors) >= 8
    assert np.mean(np.abs(errors) < 0.5) > 0.9


def test_beats_of_the_metres() -> None:
    jig = next(take for piece in pieces() if piece.metre == "6/8" for take in takes(piece))
    # A bar of 6/8 has two beats: at 120 beats a minute it lasts a second, and it has three quarters.
    assert 3 * jig.seconds_per_quarter * jig.tempo == pytest.approx(2 * 60)
    assert {metre: BEATS[metre] for metre in ("2/4", "2/2", "9/8")} == {"2/4": 1.0, "2/2": 2.0, "9/8": 1.5}


def test_a_missing_renderer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(UnavailableError, match=r"pip install 'calm-eval\[music\]'"):
        Renderer()
    with pytest.raises(UnavailableError, match=r"pip install 'calm-eval\[music\]'"):
        read_score("bach/bwv66.6.mxl")
