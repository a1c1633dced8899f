"""A system behind a command line: an argv template that writes one audio file. No shell is involved."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from calm_eval.audio.read import AudioError, read_audio
from calm_eval.data.item import Item
from calm_eval.errors import InputError
from calm_eval.systems.engine import Conditions, Place
from calm_eval.systems.outcome import Outcome, SystemUnavailableError
from calm_eval.systems.printed import Printed
from calm_eval.systems.protocol import SystemInfo, Value

_PLACES = ("text", "text_file", "prompt", "output", "seed", "duration", "item")


class CommandEngine:
    """Runs the argv once for each item.

    `{text}`, `{text_file}`, `{prompt}`, `{output}`, `{seed}`, `{duration}`, `{item}` and every declared sampling
    parameter are filled in. The time of a sample is the wall time of its process, start included.
    """

    def __init__(
        self,
        argv: Sequence[str],
        info: SystemInfo,
        place: Place,
        conditions: Conditions,
        folder: Path,
        item_timeout: float | None = None,
    ) -> None:
        self.argv = list(argv)
        self.info = info
        self.place = place
        self.conditions = conditions
        self.folder = folder
        self.item_timeout = conditions.item_timeout or item_timeout or 300.0
        known = {*_PLACES, *info.sampling}
        for part in self.argv:
            try:
                part.format(**dict.fromkeys(known, ""))
            except (KeyError, IndexError, ValueError) as error:
                raise InputError(
                    f"command: cannot fill '{part}': {error}; known: {', '.join(sorted(known))}"
                ) from error

    @property
    def identity(self) -> Mapping[str, Any]:
        """The template, and the sha256 of each part of it that names a file beside the system file."""
        files = {part: self.folder / part for part in self.argv if (self.folder / part).is_file()}
        hashes = {part: hashlib.sha256(path.read_bytes()).hexdigest() for part, path in files.items()}
        return {"command": self.argv, "files": hashes, "version": 1}

    def sample_identity(self, item: Item, fingerprint: str) -> str:
        """The system's fingerprint."""
        return fingerprint

    def head_evaluations(self, samplings: Sequence[Mapping[str, Value]]) -> list[float | None]:
        """Unknown for a command."""
        return [None] * len(samplings)

    def close(self) -> None:
        """Nothing stays open between items."""

    def generate(self, items: Sequence[Item], seed: int, task: str, sampling: Mapping[str, Value]) -> Iterator[Outcome]:
        """One process for each item."""
        for item in items:
            yield self._one(item, seed, sampling)

    def _one(self, item: Item, seed: int, sampling: Mapping[str, Value]) -> Outcome:
        scratch = self.place.scratch.resolve()
        scratch.mkdir(parents=True, exist_ok=True)
        output, text_file = scratch / "output.wav", scratch / "text.txt"
        output.unlink(missing_ok=True)
        text_file.write_text(item.text or "", encoding="utf-8")
        values = {
            "text": item.text or "",
            "text_file": text_file,
            "prompt": item.prompt.path.resolve() if item.prompt else "",
            "output": output,
            "seed": seed,
            "duration": "" if item.duration is None else item.duration,
            "item": item.id,
            **sampling,
        }
        # A word that names a file beside the system file means that file, wherever the command runs.
        own = {part: str((self.folder / part).resolve()) for part in self.argv if (self.folder / part).is_file()}
        argv = [own.get(part) or part.format(**values) for part in self.argv]
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.conditions.threads)}
        began = time.perf_counter()
        try:
            failure = self._run(argv, environment)
        except OSError as error:
            raise SystemUnavailableError("start-error", f"cannot start {argv[0]}: {error}") from error
        seconds = time.perf_counter() - began
        if failure is not None:
            return Outcome(item.id, seed, failure=failure[0], text=failure[1])
        try:
            clip = read_audio(output)
        except AudioError as error:
            return Outcome(item.id, seed, failure=error.name, text=str(error))
        return Outcome(item.id, seed, clip=clip, generate_seconds=seconds, first_audio_seconds=seconds)

    def _run(self, argv: list[str], environment: dict[str, str]) -> tuple[str, str] | None:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=self.place.scratch,
            start_new_session=True,
        )
        assert process.stdout is not None
        with process.stdout:
            printed = Printed(process.stdout, self.place.log)
            try:
                code = process.wait(timeout=self.item_timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return "timeout", f"not finished after {self.item_timeout:g} s; it said last: {printed.tail()}"
            tail = printed.tail()
        if code < 0:
            return "crash", f"killed by {signal.Signals(-code).name}; it said last: {tail}"
        if code > 0:
            return "exception", f"exit code {code}; it said last: {tail}"
        return None
