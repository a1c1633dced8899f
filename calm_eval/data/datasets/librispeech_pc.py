"""Cross-sentence voice cloning on LibriSpeech-PC: a list of pairs, one utterance as the voice, another one to be said.

A line is prompt id, its length, its text, target id, its length, its text, with tabs between (SWivid/F5-TTS@2ae2c9b,
data/librispeech_pc_test_clean_cross_sentence.lst; read by src/f5_tts/eval/utils_eval.py).
"""

from __future__ import annotations

from pathlib import Path

from calm_eval.data.datasets.entry import Entry, seconds, text_lines
from calm_eval.data.datasets.librispeech import utterance_file, utterance_speaker
from calm_eval.data.datasets.root import below
from calm_eval.errors import InputError

_COLUMNS = "prompt id, prompt length, prompt text, target id, target length, target text"


def librispeech_pc(root: Path, pairs: str, audio: str, prompts: str | None = None) -> list[Entry]:
    """One entry a pair, its id the target's. `audio` is a LibriSpeech folder.

    `prompts` is a folder of the same layout (WAV or FLAC) with other takes of the prompts, such as cleaned ones; all
    prompts must be in it. The target's length is checked against its file and not told to systems. Raises InputError
    with file and line for a wrong number of columns, a length that is none, or prompt and target of two speakers.
    """
    recordings = below(root, "option 'audio'", audio)
    voices = below(root, "option 'prompts'", prompts) if prompts is not None else None
    entries = []
    for where, line in text_lines(below(root, "option 'pairs'", pairs)):
        cells = line.split("\t")
        if len(cells) != 6:
            raise InputError(f"{where}: {len(cells)} columns; expected 6 with tabs between: {_COLUMNS}")
        voice, voice_length, _, target, target_length, text = (cell.strip() for cell in cells)
        speaker = utterance_speaker(where, target)
        if utterance_speaker(where, voice) != speaker:
            raise InputError(f"{where}: prompt '{voice}' and target '{target}' are of two speakers")
        if not text:
            raise InputError(f"{where}: '{target}' has no text")
        told = seconds(where, "prompt length", voice_length)
        if voices is None:
            prompt = utterance_file(where, recordings, voice)
        else:
            prompt = utterance_file(where, voices, voice, (".wav", ".flac"))
        entries.append(
            Entry(
                where,
                target,
                text,
                speaker,
                prompt=prompt,
                reference=utterance_file(where, recordings, target),
                # Another take may be cut or padded: its length is its own.
                prompt_seconds=told if voices is None else None,
                reference_seconds=seconds(where, "target length", target_length),
            )
        )
    return entries
