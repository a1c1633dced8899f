"""The mini music corpus: captioned clips of Bach chorales and dance tunes, rendered with a soundfont.

Splits are by piece: all clips of one file are in one split. One tune may still be in two splits under two numbers: Bach
set some melodies several times, and collections of dances hold variants.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction

import numpy as np

from calm_eval.assets import weights
from calm_eval.data.corpus import CorpusClip, Split
from calm_eval.data.music_captions import PATTERNS, caption, transposed_key
from calm_eval.data.music_midi import VELOCITY
from calm_eval.data.music_pieces import BEATS, TEMPI, Piece, pieces
from calm_eval.data.music_render import (
    INSTRUMENTS,
    PEAK,
    RATE,
    RENDERER_VERSION,
    SECONDS,
    SOUNDFONT_ASSET,
    Instrument,
    Renderer,
    excerpt,
    played,
)
from calm_eval.data.music_scores import MUSIC21_VERSION, Note, Score, read_score
from calm_eval.keys import digest, seed_from

BUILDER = 1
SHARES: tuple[tuple[Split, float], ...] = (("train", 0.64), ("valid", 0.04), ("test", 0.14), ("reference_set", 0.18))
RENDERS: dict[Split, tuple[int, int]] = {"train": (4, 3), "valid": (3, 2), "test": (3, 3), "reference_set": (4, 4)}
"""Clips of a chorale and of a tune, by split."""
TRANSPOSITIONS = (-3, -2, -1, 0, 1, 2, 3)
LONGEST_GAP_SECONDS = 1.0


@dataclass(frozen=True)
class Take:
    """How one clip of a piece is made; `start_draw` in [0, 1) chooses among the bars it may start at."""

    piece: Piece
    split: Split
    id: str
    instrument: Instrument
    tempo: int
    semitones: int
    start_draw: float

    @property
    def seconds_per_quarter(self) -> float:
        """Seconds a quarter note lasts: the tempo counts beats, which are longer in 6/8, 9/8 and 2/2."""
        return 60 / self.tempo / BEATS[self.piece.metre]


def split_of(piece_id: str) -> Split:
    """The split of a piece, by the sha256 of its id alone."""
    draw, below = int(hashlib.sha256(piece_id.encode()).hexdigest()[:13], 16) / 16**13, 0.0
    for split, share in SHARES[:-1]:
        below += share
        if draw < below:
            return split
    return SHARES[-1][0]


def takes(piece: Piece) -> tuple[Take, ...]:
    """The clips of a piece: each on another instrument, at a tempo and transposition drawn by the piece's id."""
    split = split_of(piece.id)
    of_chorale, of_tune = RENDERS[split]
    draw = np.random.Generator(np.random.PCG64(seed_from("mini-music", piece.id)))
    instruments = draw.permutation(len(INSTRUMENTS))
    made: list[Take] = []
    for number in range(of_chorale if piece.kind == "chorale" else of_tune):
        instrument = INSTRUMENTS[int(instruments[number])]
        name = re.sub(r"[^a-z0-9.]+", "", piece.id.rsplit("/", 1)[1].lower())
        tempo, semitones = int(draw.choice(piece.tempi)), int(draw.choice(TRANSPOSITIONS))
        clip = f"{name}-{instrument.slug}-{number + 1}"
        made.append(Take(piece, split, clip, instrument, tempo, semitones, float(draw.random())))
    return tuple(made)


def possible_starts(score: Score, seconds_per_quarter: float) -> tuple[Fraction, ...]:
    """The bar lines from which the music fills a clip: no gap over 1 s in it, nor one at its end."""
    quarters = Fraction(SECONDS / seconds_per_quarter)
    return tuple(
        bar
        for bar in score.bars
        if bar + quarters <= score.end
        and longest_gap(score.notes, bar, bar + quarters) * seconds_per_quarter <= LONGEST_GAP_SECONDS
    )


def longest_gap(notes: Sequence[Note], start: Fraction, end: Fraction) -> float:
    """The longest time between `start` and `end` in which no note sounds, in quarter notes. `notes` by onset."""
    longest, sounded = Fraction(0), start
    for note in notes:
        if note.onset >= end:
            break
        longest = max(longest, note.onset - sounded)
        sounded = max(sounded, note.onset + note.length)
    return float(max(longest, end - sounded))


class MusicCorpus:
    """The recipe of `mini-music` (see `Recipe`): 10.0 s clips, 16 kHz, mono, each with a caption and tags."""

    @property
    def identity(self) -> str:
        """Sha256 over the builder, the packages, the soundfont, the list of pieces and every choice."""
        return digest(
            {
                "builder": BUILDER,
                "music21": MUSIC21_VERSION,
                "midirenderer": RENDERER_VERSION,
                "soundfont": dict(weights(SOUNDFONT_ASSET)),
                "pieces": [asdict(piece) for piece in pieces()],
                "instruments": [asdict(instrument) for instrument in INSTRUMENTS],
                "tempi": TEMPI,
                "beats": BEATS,
                "transpositions": TRANSPOSITIONS,
                "shares": SHARES,
                "renders": RENDERS,
                "patterns": PATTERNS,
                "clip": {"seconds": SECONDS, "rate": RATE, "peak": PEAK, "velocity": VELOCITY},
            }
        )

    @property
    def terms(self) -> Sequence[str]:
        """Where scores and sounds come from, a line each."""
        return (
            "Chorales: works by J. S. Bach, public domain; encodings as music21 10.5.1 distributes them with the "
            "permission of their encoders. 321 of the 353 files are marked as the copyright of Margaret Greentree "
            "(2003, 2004) and name no licence; the others hold no such mark.",
            "Tunes: Ryan's Mammoth Collection (1883), public domain; ABC transcriptions by volunteers named in the "
            "files, as music21 10.5.1 distributes them. No licence is written in the files.",
            "The Essen folk songs of music21 are not used: they are for non-commercial use.",
            "Sounds: soundfont TimGM6mb by Tim Brechbill, under GPL-2.0 (so Debian's package of it), from the wheel "
            "pretty_midi 0.2.11.post0 (MIT). Rendered by midirenderer 0.1.3 (MIT).",
        )

    @property
    def count(self) -> int:
        """How many clips there are."""
        return sum(len(takes(piece)) for piece in pieces())

    def clips(self, split: Split | None = None) -> Iterator[CorpusClip]:
        """All clips, by piece in the order of the list. Raises UnavailableError when a package is missing."""
        renderer = Renderer()
        for piece in pieces():
            if split not in (None, split_of(piece.id)):
                continue
            score = read_score(piece.path)
            for take in takes(piece):
                yield make_clip(take, score, renderer)


def make_clip(take: Take, score: Score, renderer: Renderer) -> CorpusClip:
    """Render one clip; the score is that of the take's piece, as music21 of the pinned version reads it."""
    piece, pace = take.piece, take.seconds_per_quarter
    starts = possible_starts(score, pace)
    start = starts[int(take.start_draw * len(starts))]
    heard = excerpt(score.notes, start, pace, SECONDS)
    samples = renderer.render(played(heard, take.instrument, take.semitones, pace), take.instrument)
    key = transposed_key(piece.key, take.semitones)
    return CorpusClip(
        split=take.split,
        id=take.id,
        samples=samples,
        rate=RATE,
        text=caption(piece.kind, key, piece.metre, take.tempo, take.instrument.phrase, take.id),
        tags=(
            f"instrument:{take.instrument.name}",
            f"key:{key}",
            f"metre:{piece.metre}",
            f"tempo:{take.tempo}",
            f"kind:{piece.kind}",
            f"piece:{piece.id}",
            f"start:{round(float(start) * pace, 3)}",
        ),
    )
