"""What the minis are measured on: held-out clips of the mini corpora, chosen the same way every time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from minis_statistics import RATE, Audio

from calm_eval.audio.read import read_sound
from calm_eval.audio.resample import to_mono
from calm_eval.data.corpus import build_corpus
from calm_eval.data.corpus_items import spread


@dataclass(frozen=True)
class HeldOut:
    """One clip of a corpus: its text or caption, its voice, where the audio is, and its tags by kind."""

    id: str
    text: str
    voice: str
    path: Path
    seconds: float
    tags: tuple[str, ...]

    def audio(self) -> Audio:
        """The clip at 16 kHz, float32 [samples]."""
        return to_mono(read_sound(self.path), RATE)

    def tag(self, kind: str) -> str:
        """What stands behind `kind:` among the tags. Raises KeyError where no tag has that kind."""
        for tag in self.tags:
            name, _, value = tag.partition(":")
            if name == kind and value:
                return value
        raise KeyError(f"clip '{self.id}' has no tag '{kind}:'; it has {', '.join(self.tags)}")


@cache
def clips(corpus: str, split: str) -> tuple[HeldOut, ...]:
    """All clips of one split, in the corpus' order. The corpus is built where it is not there yet."""
    folder = build_corpus(corpus)
    # Read plainly: the manifest's reader decodes every file for its identity, which is too slow for training splits.
    rows = [json.loads(line) for line in (folder / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()]
    return tuple(
        HeldOut(
            row["id"],
            row["text"] or "",
            row["speaker"] or "",
            folder / row["reference"],
            row["duration"],
            tuple(row["tags"]),
        )
        for row in rows
    )


PIPER, ESPEAK = "piper", "espeak"
"""Voices begin with the name of their engine. The judge mishears a quarter to a third of espeak-ng's own words, against
one in twelve of Piper's; bars are held on Piper's sentences, and what comes of the other voices is told beside them."""


def sentences(split: str, engine: str, count: int) -> list[HeldOut]:
    """Sentences of the split by one engine, voice after voice and evenly spread."""
    rows = [clip for clip in clips("mini-speech", split) if "sentence" in clip.tags and clip.voice.startswith(engine)]
    return spread(sorted(rows, key=lambda clip: clip.voice), count)


def voice_prompt(clip: HeldOut, split: str, longest: float) -> Audio:
    """The start of the next sentence of the same voice, at most `longest` seconds.

    Raises ValueError when the voice has no other sentence.
    """
    same = [one for one in clips("mini-speech", split) if "sentence" in one.tags and one.voice == clip.voice]
    if len(same) < 2:
        raise ValueError(f"voice '{clip.voice}' has one sentence only: none is left as a prompt")
    place = [one.id for one in same].index(clip.id)
    return same[(place + 1) % len(same)].audio()[: round(longest * RATE)]


def in_turns(rows: Sequence[HeldOut], group: Callable[[HeldOut], str], count: int) -> list[HeldOut]:
    """Up to `count` rows, an equal share from each group, in turns; fewer where a group cannot give its share."""
    groups: dict[str, list[HeldOut]] = {}
    for row in rows:
        groups.setdefault(group(row), []).append(row)
    share = -(-count // len(groups))
    queues = [spread(groups[name], share) for name in sorted(groups)]
    taken = [queue[turn] for turn in range(max(map(len, queues))) for queue in queues if turn < len(queue)]
    # The first turns are complete; only where there are more groups than places are groups left out.
    return taken[:count] if len(groups) <= count else spread(taken, count)
