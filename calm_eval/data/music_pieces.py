"""Which pieces the music corpus is made of: the list that ships, and the rules that made it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from calm_eval.data.music_scores import Score, corpus_files, longest_rest, parse, score_of

BEATS = {"2/4": 1.0, "3/4": 1.0, "4/4": 1.0, "2/2": 2.0, "6/8": 1.5, "9/8": 1.5}
"""Metres that are taken: quarter notes in a beat."""

TEMPI = {"chorale": (72, 80, 92, 104, 116), "dance": (80, 96, 108, 120, 132)}
"""Beats per minute of chorales and of all other kinds."""

DANCES = ("reel", "hornpipe", "jig", "slip jig", "strathspey", "clog")
SHORTEST_SECONDS = 12.0
DANCES_OF_A_KIND = 64
LARGEST_BWV = 438


@dataclass(frozen=True)
class Piece:
    """One piece: its file in the music21 corpus, `kind`, `key` (e.g. `F# minor`), `metre`, number of full bars."""

    path: str
    kind: str
    key: str
    metre: str
    bars: int

    @property
    def id(self) -> str:
        """The path without its suffix: `bach/bwv66.6`."""
        return self.path.rsplit(".", 1)[0]

    @property
    def tempi(self) -> tuple[int, ...]:
        """Beats per minute it may be played at."""
        return TEMPI["chorale" if self.kind == "chorale" else "dance"]


@lru_cache(maxsize=1)
def pieces() -> tuple[Piece, ...]:
    """All pieces of the list `music_pieces.jsonl`, in its order."""
    lines = Path(__file__).with_name("music_pieces.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(Piece(**json.loads(line)) for line in lines)


def list_text(chosen: Sequence[Piece]) -> str:
    """The list as text, a JSON object a line."""
    return "".join(json.dumps(asdict(piece)) + "\n" for piece in chosen)


def find_pieces() -> tuple[Piece, ...]:
    """Make the list anew from the music21 corpus (a minute or two). Raises UnavailableError.

    Taken are four-part chorales by Bach up to BWV 438 and tunes of Ryan's Mammoth Collection whose header names one of
    `DANCES`; of each of those kinds the `DANCES_OF_A_KIND` with the smallest sha256 of their file name. See `facts`
    for what is left out.
    """
    folder = corpus_files()
    chorales = [
        piece
        for file in sorted((folder / "bach").glob("bwv*.*"))
        if int(re.findall(r"\d+", file.name)[0]) <= LARGEST_BWV and (piece := facts(f"bach/{file.name}", "chorale"))
    ]
    chorales = list({piece.id: piece for piece in chorales}.values())
    dances: list[Piece] = []
    for kind in DANCES:
        found: list[Piece] = []
        for file in sorted((folder / "ryansMammoth").glob("*.abc"), key=_draw):
            if len(found) < DANCES_OF_A_KIND and _dance(file) == kind:
                piece = facts(f"ryansMammoth/{file.name}", kind)
                found += [piece] if piece is not None else []
        dances.extend(sorted(found, key=lambda piece: piece.path))
    return (*chorales, *dances)


def _draw(file: Path) -> str:
    # The name alone, not the piece's id, whose sha256 decides the split: the smallest would all be trained on.
    return hashlib.sha256(file.name.encode()).hexdigest()


def _dance(file: Path) -> str | None:
    text = file.read_text(encoding="latin-1")
    named = re.findall(r"^R:\s*(\S.*?)\s*$", text, flags=re.MULTILINE)
    if len(named) != 1 or len(re.findall(r"^X:", text, flags=re.MULTILINE)) != 1:
        return None
    return {"slipjig": "slip jig"}.get(named[0].lower(), str(named[0]).lower())


def facts(path: str, kind: str) -> Piece | None:
    """The facts of a piece, or None when it is not fit for the corpus.

    Left out: a chorale that has not four parts, a tune with two notes at once, more than one metre or one that is not
    in `BEATS`, a key signature that changes or has no clear key (see `key_of`), a rest of all parts longer than a beat,
    and less than `SHORTEST_SECONDS` from the first bar line to the end at the fastest tempo of its kind.
    """
    parsed = parse(path)
    if len(parsed.parts) != (4 if kind == "chorale" else 1):
        return None
    metres = {str(found.ratioString) for found in parsed.recurse().getElementsByClass("TimeSignature")}
    key = key_of(parsed)
    if len(metres) != 1 or key is None or not metres <= BEATS.keys():
        return None
    (metre,) = metres
    score = score_of(parsed)
    piece = Piece(path, kind, key, metre, len(score.bars))
    if not score.notes or not score.bars or longest_rest(score.notes) > BEATS[metre]:
        return None
    if kind != "chorale" and any(
        later.onset < earlier.onset + earlier.length
        for earlier, later in zip(score.notes[:-1], score.notes[1:], strict=True)
    ):
        return None
    return piece if _seconds(piece, score) >= SHORTEST_SECONDS else None


def _seconds(piece: Piece, score: Score) -> float:
    return float(score.end - score.bars[0]) / BEATS[piece.metre] * 60 / max(piece.tempi)


def key_of(parsed: Any) -> str | None:
    """The key of a music21 score, e.g. `F# minor`, `Bb major`; None when it is not clear.

    Where the score names a key with its mode and music21's `analyze('key')` finds the same mode, it is the named one.
    Where the mode differs or none is named, it is the analysed one: many encodings write `major` for every signature.
    Not clear: several signatures, or an analysed key whose own signature is over one sharp or flat from the written.
    """
    signatures = list(parsed.recurse().getElementsByClass("KeySignature"))
    if not signatures or len({signature.sharps for signature in signatures}) != 1:
        return None
    analysed = parsed.analyze("key")
    if analysed.mode not in ("major", "minor") or abs(analysed.sharps - signatures[0].sharps) > 1:
        return None
    named = getattr(signatures[0], "mode", None)
    tonic = signatures[0].tonic if named == analysed.mode else analysed.tonic
    return f"{tonic.name.upper()[0]}{tonic.name[1:].replace('-', 'b')} {analysed.mode}"
