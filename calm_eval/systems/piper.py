"""Piper (VITS) through its own phonemiser and an ONNX session whose noise is seeded by item and seed."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import InputError, UnavailableError
from calm_eval.systems.piper_noise import DURATION_NOISE, FRAME_NOISE, draw, with_noise_inputs
from calm_eval.systems.protocol import Chunk, Done, Event, Failure, Parameter, Request, SystemInfo, Value

SAMPLE_RATE = 22050
FRAMES_PER_ID = 6  # a first guess at the frames of one phoneme id; drawn again when a sentence is slower

SAMPLING: Mapping[str, Parameter] = {
    "noise_scale": Parameter(0.667, 0.0, 1.5, help="standard deviation of the noise on the latent"),
    "noise_w": Parameter(0.8, 0.0, 1.5, help="standard deviation of the noise on the phoneme durations"),
    "length_scale": Parameter(1.0, 0.5, 2.0, help="factor on the phoneme durations: 2 is half as fast"),
}


def create(
    asset: str = "piper-en_US-joe-medium", folder: str | None = None, normalize_audio: bool = False
) -> PiperSystem:
    """A single-speaker Piper voice.

    `asset` names the voice in calm-eval's assets (`piper-<voice>`, holding `<voice>.onnx` and `<voice>.onnx.json`).
    `folder` reads these files from a folder of the user's instead, and then the weights are hashed there.
    `normalize_audio` scales every sentence to a peak of 1.0, as piper-tts does unless told otherwise; here it is off,
    so that the level which the model gives can be measured.
    """
    return PiperSystem(asset, None if folder is None else Path(folder), normalize_audio)


class PiperSystem:
    """Piper as a system: mono float32 at 22,050 Hz, one chunk a sentence.

    The model knows one speaker: a request's voice prompt is ignored by its nature. All noise comes from
    (item, seed, sentence), so a sample does not depend on what was made before it.
    """

    def __init__(self, asset: str, folder: Path | None, normalize_audio: bool) -> None:
        prefix = "piper-"
        if not asset.startswith(prefix):
            raise InputError(f"piper: asset {asset!r} is not named piper-<voice>, such as piper-en_US-joe-medium")
        self._asset = asset
        self._voice_name = asset.removeprefix(prefix)
        self._folder = folder
        self._normalize = normalize_audio
        self._voice: Any = None

    @property
    def info(self) -> SystemInfo:
        """What it is. Raises InputError for an unknown asset or a folder without the voice's files."""
        return SystemInfo(
            tasks=("tts",),
            family="other",
            sample_rate=SAMPLE_RATE,
            streaming=True,
            sampling=SAMPLING,
            weights=self._weights(),
            config={"voice": self._voice_name, "normalize_audio": self._normalize},
            version=1,
        )

    def _files(self) -> tuple[str, str]:
        return f"{self._voice_name}.onnx", f"{self._voice_name}.onnx.json"

    def _weights(self) -> Mapping[str, str]:
        if self._folder is None:
            from calm_eval.assets import weights

            return weights(self._asset)
        import hashlib

        hashes: dict[str, str] = {}
        for name in self._files():
            path = self._folder / name
            if not path.is_file():
                raise InputError(f"piper: no file {path}")
            hashes[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return hashes

    def load(self, device: str, dtype: str, threads: int) -> None:
        """Open the voice. Only `cpu` and `float32` exist; `threads` computes within an operator (at least 1).

        Raises InputError for another device, dtype or number of threads, UnavailableError when the extra is missing or
        the voice is not one that calm-eval knows how to seed.
        """
        if device != "cpu" or dtype != "float32" or threads < 1:
            raise InputError(f"piper runs on cpu in float32 with 1 thread or more, not {device}, {dtype}, {threads}")
        for module in ("piper", "onnx", "onnxruntime"):
            if importlib.util.find_spec(module) is None:
                raise UnavailableError(f"piper needs the package {module}: pip install 'calm-eval[piper]'")
        import onnxruntime
        from piper import PiperVoice
        from piper.config import PiperConfig

        folder = self._folder
        if folder is None:
            from calm_eval.assets import fetch

            folder = fetch(self._asset)
        graph, config = (folder / name for name in self._files())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(with_noise_inputs(graph), options, ["CPUExecutionProvider"])
        settings = PiperConfig.from_dict(json.loads(config.read_text(encoding="utf-8")))
        if settings.sample_rate != SAMPLE_RATE or settings.num_speakers > 1:
            raise UnavailableError(f"piper: {self._voice_name} is not a single-speaker voice at {SAMPLE_RATE} Hz")
        self._voice = PiperVoice(session=session, config=settings, download_dir=folder)

    def generate(self, requests: Sequence[Request], sampling: Mapping[str, Value]) -> Iterator[Event]:
        """One chunk for every sentence that the phonemiser finds, then Done; Failure `no-phonemes` for mute text."""
        scales = np.array([float(sampling[name]) for name in ("noise_scale", "length_scale", "noise_w")], np.float32)
        for request in requests:
            sentences: list[list[str]] = [found for found in self._voice.phonemize(request.text or "") if found]
            if not any(phoneme.isalpha() for sentence in sentences for phoneme in sentence):
                yield Failure(request.item, request.seed, "no-phonemes", f"nothing to say in {request.text!r}")
                continue
            for at, sentence in enumerate(sentences):
                samples = self._speak(self._voice.phonemes_to_ids(sentence), scales, request, at)
                yield Chunk(request.item, request.seed, samples, SAMPLE_RATE)
            yield Done(request.item, request.seed)

    def head_evaluations_per_second(self, sampling: Mapping[str, Value]) -> float | None:
        """None: Piper has no per-frame head."""
        return None

    def _speak(
        self, ids: list[int], scales: NDArray[np.float32], request: Request, sentence: int
    ) -> NDArray[np.float32]:
        """The samples of one sentence, float32 of shape [frames]; the model ends in tanh, so within [-1, 1]."""
        feed: dict[str, NDArray[Any]] = {
            "input": np.array([ids], dtype=np.int64),
            "input_lengths": np.array([len(ids)], dtype=np.int64),
            "scales": scales,
            DURATION_NOISE.draw: draw(DURATION_NOISE, len(ids), request.item, request.seed, sentence),
        }
        drawn, wanted = 0, int(len(ids) * FRAMES_PER_ID * float(scales[1]))
        audio = np.zeros(0, dtype=np.float32)
        # The number of frames is known only inside the graph. A longer draw starts as the shorter one did.
        while wanted > drawn:
            drawn = wanted
            feed[FRAME_NOISE.draw] = draw(FRAME_NOISE, drawn, request.item, request.seed, sentence)
            audio, shape = self._voice.session.run(["output", FRAME_NOISE.wanted], feed)
            wanted = int(shape[2])
        samples = np.asarray(audio, dtype=np.float32).reshape(-1)
        peak = float(np.abs(samples).max(initial=0.0))
        return samples / np.float32(peak) if self._normalize and peak > 0 else samples
