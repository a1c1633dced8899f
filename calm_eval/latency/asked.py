"""What every system is asked while it is timed: the same prompt, text and length, made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calm_eval.audio.clip import Clip
from calm_eval.audio.write import encode_flac, write_atomically
from calm_eval.data.item import AudioRef, Item
from calm_eval.errors import InputError
from calm_eval.selftest.signals import SPOKEN, signal

PROMPT_RATE = 24_000
PROMPT_SECONDS = 3.0
SENTENCES = 4
"""How often the sentence of a text is said: about ten seconds of speech."""
CAPTION = "a calm melody on a piano in C major, in four four time, at a moderate tempo"
_SOUNDS = {"speech_continuation": "spoken", "tts": "spoken", "music_continuation": "chord"}


def asked_items(task: str, seconds: float, batch: int, folder: Path, prompt: Path | None = None) -> list[Item]:
    """`batch` items of a task, of `seconds` each (`tts` ends by itself). The prompt is written into `folder`: a spoken
    sentence or a chord of three seconds at 24 kHz, unless a file is given. Raises InputError for an unknown task.
    """
    if task not in (*_SOUNDS, "text_to_music"):
        raise InputError(f"no task '{task}'; known: {', '.join((*_SOUNDS, 'text_to_music'))}")
    heard = None
    if task in _SOUNDS:
        path = prompt if prompt is not None else _prompt(_SOUNDS[task], folder)
        heard = AudioRef(path, path.name)
    text = {"tts": " ".join([SPOKEN] * SENTENCES), "text_to_music": CAPTION}.get(task)
    duration = None if task == "tts" else seconds
    return [Item(id=f"timed-{number}", text=text, prompt=heard, duration=duration) for number in range(batch)]


def _prompt(name: str, folder: Path) -> Path:
    path = folder / f"prompt-{name}.flac"
    if not path.is_file():
        samples = np.resize(signal(name, PROMPT_RATE), round(PROMPT_SECONDS * PROMPT_RATE))
        folder.mkdir(parents=True, exist_ok=True)
        _, data = encode_flac(Clip(samples[None], PROMPT_RATE))
        write_atomically(path, data)
    return path
