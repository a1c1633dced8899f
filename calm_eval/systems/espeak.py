"""espeak-ng, a formant synthesiser, through the shared library that the package espeakng-loader carries."""

from __future__ import annotations

import difflib
import hashlib
import importlib.metadata
import importlib.util
import json
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import InputError, UnavailableError
from calm_eval.systems import espeak_child
from calm_eval.systems.protocol import Chunk, Done, Event, Failure, Parameter, Request, SystemInfo, Value

SAMPLE_RATE = 22050  # of every voice in the package; load() asks the library
SAMPLING: Mapping[str, Parameter] = {"rate": Parameter(175, 80, 450, help="words per minute")}
_HASHED_DATA = ("phondata", "phonindex", "phontab", "intonations")


def create(voice: str = "en-us") -> EspeakSystem:
    """A voice of espeak-ng: a language (`en-us`, `en-gb-scotland`), or a language and a variant (`en-us+f3`)."""
    return EspeakSystem(voice)


class EspeakSystem:
    """espeak-ng as a system: mono float32 at the library's rate, one chunk a request.

    There is no noise to draw: the seed does not matter and the same text always gives the same audio. Voice prompts
    are ignored, the voice is an option. Every request runs in a fresh process of about 30 ms (why: espeak_child.py).
    """

    def __init__(self, voice: str) -> None:
        self._voice = voice

    @property
    def info(self) -> SystemInfo:
        """What it is. Raises UnavailableError when the extra is missing."""
        return SystemInfo(
            tasks=("tts",),
            family="other",
            sample_rate=SAMPLE_RATE,
            sampling=SAMPLING,
            weights=self._hashes,
            config={"voice": self._voice, "espeakng-loader": importlib.metadata.version("espeakng-loader")},
            version=1,
        )

    def load(self, device: str, dtype: str, threads: int) -> None:
        """Check the voice against the library's list. Device, dtype and threads change nothing: it is plain C code.

        Raises InputError for an unknown voice, UnavailableError when the extra is missing or its data cannot be read.
        """
        known = json.loads(self._ask({}))
        language, plus, variant = self._voice.partition("+")
        # The library itself takes an unknown variant without a word and speaks with the plain voice.
        for kind, name in (("languages", language), *((("variants", variant),) if plus else ())):
            if name not in known[kind]:
                near = difflib.get_close_matches(name, known[kind], n=3, cutoff=0.4)
                hint = f"; near: {', '.join(near)}" if near else ""
                raise InputError(f"espeak: voice {self._voice!r}: {name!r} is not among its {kind}{hint}")
        self._speak("a", 175)

    def generate(self, requests: Sequence[Request], sampling: Mapping[str, Value]) -> Iterator[Event]:
        """One chunk and Done for each request; Failure `empty-text` for a text of white space."""
        for request in requests:
            text = request.text or ""
            if not text.strip():
                yield Failure(request.item, request.seed, "empty-text", f"nothing to say in {text!r}")
                continue
            rate, samples = self._speak(text, int(sampling["rate"]))
            yield Chunk(request.item, request.seed, samples, rate)
            yield Done(request.item, request.seed)

    def head_evaluations_per_second(self, sampling: Mapping[str, Value]) -> float | None:
        """None: a formant synthesiser has no head."""
        return None

    def _speak(self, text: str, rate: int) -> tuple[int, NDArray[np.float32]]:
        # A NUL would end the text early in C.
        answer = self._ask({"voice": self._voice, "text": text.replace("\0", " "), "rate": rate})
        (sample_rate,) = struct.unpack_from("<I", answer)
        return sample_rate, np.frombuffer(answer, dtype=np.int16, offset=4).astype(np.float32) / np.float32(32768)

    @cached_property
    def _package(self) -> tuple[Path, Path]:
        """The shared library and the folder that holds `espeak-ng-data`."""
        if importlib.util.find_spec("espeakng_loader") is None:
            raise UnavailableError("espeak needs the package espeakng-loader: pip install 'calm-eval[espeak]'")
        import espeakng_loader

        return Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path()).parent

    @cached_property
    def _hashes(self) -> Mapping[str, str]:
        library, folder = self._package
        paths = [library, *(folder / "espeak-ng-data" / name for name in _HASHED_DATA)]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    def _ask(self, request: Mapping[str, Value]) -> bytes:
        library, folder = self._package
        result = subprocess.run(
            [sys.executable, "-I", "-S", espeak_child.__file__],
            input=json.dumps({"library": str(library), **request}).encode(),
            capture_output=True,
            cwd=folder,
            check=False,
        )
        if result.returncode == espeak_child.NO_SUCH_VOICE:
            raise InputError(f"espeak: the library lists the voice {self._voice!r} but cannot open it")
        if result.returncode != 0:
            raise UnavailableError(
                f"espeak: the library failed with code {result.returncode}: {result.stderr.decode(errors='replace')}"
            )
        return result.stdout
