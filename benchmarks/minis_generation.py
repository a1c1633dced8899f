"""Audio made by the minis, kept as FLAC under a name that says which weights and settings made it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from minis_statistics import RATE, Audio

from calm_eval.audio.clip import Clip
from calm_eval.audio.read import read_audio
from calm_eval.audio.resample import to_mono
from calm_eval.audio.write import encode_flac, write_atomically
from reference_models.build import make_codec
from reference_models.catalogue import checkpoint_file
from reference_models.checkpoint import file_hash, load_checkpoint
from reference_models.presets import CodecPreset, load_codec_preset, load_model_preset, load_preset, names
from reference_models.serving import End, Server, Sound, Wanted, sampling_from

BATCH = 16
VERSION = 1
"""Raised when the same weights and settings give other audio."""


@dataclass(frozen=True)
class Asked:
    """One sample to make; `prompt` is 16 kHz mono or None, `seconds` None where speech ends by itself."""

    item: str
    task: str
    text: str | None = None
    prompt: Audio | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Made:
    """One sample: 16 kHz mono, and why it ended (`eos`, `length`, or `limit` for speech that did not stop)."""

    audio: Audio
    ended: str


@dataclass
class Workshop:
    """Models in memory and what they made, in `folder`. `untrained` lets random weights sound (never for bars)."""

    folder: Path
    untrained: bool = False
    _servers: dict[str, Server] = field(default_factory=dict)
    _codecs: dict[str, Any] = field(default_factory=dict)
    _hashes: dict[str, dict[str, str]] = field(default_factory=dict)

    def lacks(self, name: str) -> str | None:
        """What is missing to measure a preset, in words; None when it can be measured."""
        if name not in names():
            return "no preset"
        needed = [name, *([] if _is_codec(name) else [load_model_preset(name).codec])]
        missing = [one for one in needed if not checkpoint_file(one).is_file()]
        return None if self.untrained or not missing else f"no checkpoint of {' and '.join(missing)}"

    def hashes(self, name: str) -> dict[str, str]:
        """The sha256 of the checkpoints behind a preset, `untrained` where there is none."""
        if name not in self._hashes:
            parts = {"model": name} if _is_codec(name) else {"model": name, "codec": load_model_preset(name).codec}
            files = {part: _file(one) for part, one in parts.items()}
            self._hashes[name] = {part: file_hash(file) if file else "untrained" for part, file in files.items()}
        return self._hashes[name]

    def generate(self, name: str, asked: Sequence[Asked], sampling: Mapping[str, float | int]) -> list[Made]:
        """One sample for each request, in order, seed 0; made in batches where it is not there yet.

        Raises ModelError for what the model cannot take.
        """
        todo = [one for one in asked if self._kept(self._place(name, one, sampling)) is None]
        # Rows of a batch wait for its longest.
        todo.sort(key=lambda one: len(one.text or ""))
        for start in range(0, len(todo), BATCH):
            self._make(name, todo[start : start + BATCH], sampling)
        kept = [self._kept(self._place(name, one, sampling)) for one in asked]
        return [one for one in kept if one is not None]

    def round_trip(self, name: str, audio: Audio, depth: int | None = None) -> Audio:
        """A sound through a codec at its rate of 16 kHz, cut to its own length. `depth`: codebooks of an RVQ codec."""
        codec = self.codec(name)
        sound = torch.from_numpy(audio.copy())[None, None]
        frames = codec.encode(sound) if depth is None else codec.encode(sound, depth)
        decoded: Audio = codec.decode(frames)[0, 0, : audio.size].numpy()
        return np.clip(decoded, -1.0, 1.0)

    def codec(self, name: str) -> Any:
        """A codec with its bundled weights. Raises ValueError for a rate other than 16 kHz."""
        if name not in self._codecs:
            preset = load_codec_preset(name)
            if preset.sample_rate != RATE:
                raise ValueError(f"'{name}' works at {preset.sample_rate} Hz, these measurements at {RATE} Hz")
            codec = make_codec(preset)
            if (file := _file(name)) is not None:
                load_checkpoint(file, codec, preset)
            self._codecs[name] = codec.eval()
        return self._codecs[name]

    def _make(self, name: str, asked: Sequence[Asked], sampling: Mapping[str, float | int]) -> None:
        server = self._server(name)
        prompts = [None if one.prompt is None else torch.from_numpy(one.prompt.copy())[None] for one in asked]
        wanted = [
            Wanted(one.item, 0, one.task, one.text, prompt, one.seconds)
            for one, prompt in zip(asked, prompts, strict=True)
        ]
        parts: list[list[Audio]] = [[] for _ in asked]
        ended = ["length"] * len(asked)
        for event in server.run([server.prepare(one) for one in wanted], sampling_from(sampling)):
            if isinstance(event, Sound):
                parts[event.row].append(event.samples.numpy())
            elif isinstance(event, End):
                ended[event.row] = event.why
        for one, sounds, why in zip(asked, parts, ended, strict=True):
            audio = np.clip(np.concatenate([np.zeros(0, np.float32), *sounds]), -1.0, 1.0)
            place = self._place(name, one, sampling)
            write_atomically(place.with_suffix(".flac"), encode_flac(Clip(audio[None], RATE))[1])
            write_atomically(place.with_suffix(".json"), json.dumps({"item": one.item, "ended": why}).encode())

    def _server(self, name: str) -> Server:
        if name not in self._servers:
            preset = load_model_preset(name)
            codec = load_codec_preset(preset.codec)
            self._servers[name] = Server(preset, codec, _file(name), _file(codec.name))
        return self._servers[name]

    def _place(self, name: str, one: Asked, sampling: Mapping[str, float | int]) -> Path:
        prompt = None if one.prompt is None else hashlib.sha256(one.prompt.tobytes()).hexdigest()
        request = [one.item, one.task, one.text, prompt, one.seconds]
        settings = [VERSION, self.hashes(name), dict(sorted(sampling.items()))]
        return self.folder / name / _short(settings) / _short(request)

    def _kept(self, place: Path) -> Made | None:
        # The note is written last, so with it the audio is whole.
        if not place.with_suffix(".json").is_file():
            return None
        note = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
        return Made(to_mono(read_audio(place.with_suffix(".flac")), RATE), note["ended"])


def _is_codec(name: str) -> bool:
    return isinstance(load_preset(name), CodecPreset)


def _file(name: str) -> Path | None:
    file = checkpoint_file(name)
    return file if file.is_file() else None


def _short(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:20]
