"""Seed-TTS-eval's `meta.lst`: id | text of the prompt | prompt audio | text to say | target audio (may be absent).

Paths are relative to the list (BytedanceSpeech/seed-tts-eval@752f429; SWivid/F5-TTS@2ae2c9b
src/f5_tts/eval/utils_eval.py, which reads both widths).
"""

from __future__ import annotations

from pathlib import Path

from calm_eval.data.datasets.entry import Entry, text_lines
from calm_eval.data.datasets.root import below
from calm_eval.errors import InputError


def seed_tts(root: Path, meta: str) -> list[Entry]:
    """One entry a line of the list `meta`. The voice is named after the prompt's file.

    Without a fifth column the target is `wavs/ID.wav` beside the list where that exists, else there is none. Raises
    InputError with file and line for another number of columns or an empty one.
    """
    path = below(root, "option 'meta'", meta)
    entries = []
    for where, line in text_lines(path):
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) not in (4, 5) or not all(cells):
            raise InputError(
                f"{where}: expected 4 or 5 columns with | between, none empty: id, prompt text, prompt audio, text, "
                f"target audio; got {len(cells)}"
            )
        name, _, prompt, text = cells[:4]
        usual = path.parent / "wavs" / f"{name}.wav"
        target = path.parent / cells[4] if len(cells) == 5 else usual if usual.is_file() else None
        voice = path.parent / prompt
        entries.append(Entry(where, name, text, voice.stem, prompt=voice, reference=target))
    return entries
