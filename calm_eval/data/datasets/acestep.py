"""Recorded music of ACE-Step 1.5: the tracks of the asset `acestep-tracks`, captioned by what its licence file tells.

The prompts themselves are not published. Mood (the folder), tempo, key and style of each track are.
"""

from __future__ import annotations

import re
from pathlib import Path

from calm_eval.assets import fetch
from calm_eval.data.datasets.entry import Entry, text_lines
from calm_eval.errors import InputError

ASSET = "acestep-tracks"
LIST = "LICENSE-MUSIC"

_MOOD = re.compile(r"([a-z]+)/")
_TRACK = re.compile(r"\s+(\S+)\.opus\s+([0-9]+) bpm\s+([A-G][b#]? (?:major|minor))\s+seed [0-9]+\s+\[([a-z]+)\]")


def acestep(root: Path) -> list[Entry]:
    """One entry a track, in the order of the list; its reference is the track itself.

    Fetched on first use; `root` is not used. Raises UnavailableError when the asset cannot be had, InputError as
    `listed`.
    """
    folder = fetch(ASSET)
    return [Entry(where, name, text, reference=folder / f"{name}.opus") for where, name, text in listed(folder / LIST)]


def listed(path: Path) -> list[tuple[str, str, str]]:
    """`file:line`, name and caption of each track in the list: `calm acoustic music, 68 bpm, C major`.

    Raises InputError for a file that cannot be read, and for a line of a track that tells less or has no mood above it.
    """
    found: list[tuple[str, str, str]] = []
    mood: str | None = None
    for where, line in text_lines(path):
        head, track = _MOOD.fullmatch(line.rstrip()), _TRACK.fullmatch(line.rstrip())
        if head is not None:
            mood = head[1]
        elif track is not None and mood is not None:
            name, tempo, key, style = track.groups()
            found.append((where, name, f"{mood} {style} music, {tempo} bpm, {key}"))
        elif ".opus" in line:
            raise InputError(
                f"{where}: expected NAME.opus, bpm, key, seed and [style] below a mood, got '{line.strip()}'"
            )
    return found
