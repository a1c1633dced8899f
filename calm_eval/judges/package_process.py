"""A package in an interpreter of its own, asked over a pipe: no import here, no download there."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import UnavailableError
from calm_eval.judges.environments import Environment, interpreter
from calm_eval.systems.process import DeadlinePassed, Process, ProcessEnded

OPEN_SECONDS, ANSWER_SECONDS = 600.0, 600.0
CHILDREN = Path(__file__).parent / "package_children"
_OF_THIS_PYTHON = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


class PackageError(Exception):
    """The package failed on one audio or text; the process lives on."""


class PackageProcess:
    """A script of the folder `children` under the environment's Python, or `python`.

    Raises UnavailableError when there is no such interpreter, the package is not there or in another version, or the
    options cannot be served.
    """

    def __init__(
        self,
        environment: Environment,
        script: str,
        options: Mapping[str, Any],
        threads: int,
        python: str | None = None,
        children: Path = CHILDREN,
    ) -> None:
        program = interpreter(environment, python)
        self._name = environment.name
        self._scratch = tempfile.TemporaryDirectory(prefix="calm-eval-")
        self._folder = Path(self._scratch.name)
        log = self._folder / "printed.log"
        try:
            self._process = Process([str(program), str(children / "answering.py"), script], _offline(threads), log)
        except OSError as error:
            self._scratch.cleanup()
            raise UnavailableError(f"{self._name}: cannot start {program}: {error}") from error
        checkpoints = self._folder / "checkpoints"
        checkpoints.mkdir()
        asked = {**options, "folder": str(checkpoints), "threads": threads}
        try:
            answer = self._ask({"op": "open", "package": environment.package, "options": asked}, OPEN_SECONDS)
            if answer["version"] != environment.version:
                raise PackageError(f"it has {environment.package} {answer['version']}, not {environment.version}")
        except PackageError as error:
            self.close()
            raise UnavailableError(f"{self._name} under {program}: {error}") from error

    def hear(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Vectors [n, dim] of samples [frames]. Raises PackageError; UnavailableError when the process is gone."""
        place = self._folder / "audio.npy"
        np.save(place, audio)
        return self._vectors({"op": "hear", "audio": str(place)})

    def read(self, text: str) -> NDArray[np.float32]:
        """Vectors [1, dim] of a text. Raises as `hear`."""
        return self._vectors({"op": "read", "text": text})

    def close(self) -> None:
        """End the process and remove its files."""
        self._process.close()
        self._scratch.cleanup()

    def _vectors(self, message: Mapping[str, Any]) -> NDArray[np.float32]:
        place = self._folder / "vectors.npy"
        self._ask({**message, "to": str(place)}, ANSWER_SECONDS)
        return np.asarray(np.load(place, allow_pickle=False), dtype=np.float32)

    def _ask(self, message: dict[str, Any], seconds: float) -> dict[str, Any]:
        try:
            self._process.send(message)
            answer = self._process.receive(time.monotonic() + seconds)
        except ProcessEnded as error:
            raise UnavailableError(f"{self._name}, asked to {message['op']}, ended: {error}") from error
        except DeadlinePassed as error:
            self.close()
            raise UnavailableError(f"{self._name}: no answer to {message['op']} in {seconds:g} s") from error
        if answer["event"] == "error":
            raise PackageError(str(answer["text"]))
        return answer


def _offline(threads: int) -> dict[str, str]:
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    hubs = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
    kept = {name: value for name, value in os.environ.items() if name not in _OF_THIS_PYTHON}
    return {**kept, **dict.fromkeys(names, str(threads)), **hubs}
