"""The child's side: JSON lines in, JSON lines out, arrays in files; what the package prints goes to standard error.

Run as a script with the name of a module beside it, whose `opened` makes, of options, what hears a clip.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Opened = Callable[[Mapping[str, Any]], tuple[Callable[[Any], Any], Callable[[str], Any] | None]]
"""Options to what turns samples [frames] into vectors [n, dim], and a text into [1, dim] (or None)."""


def answer(opened: Opened) -> None:
    """Serve until `stop` or the end of the conversation."""
    words = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # a package that prints must not speak into the conversation

    def say(**message: Any) -> None:
        words.write(json.dumps(message) + "\n")
        words.flush()

    hear: Callable[[Any], Any] | None = None
    read: Callable[[str], Any] | None = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if asked["op"] == "stop":
                return
            if asked["op"] == "open":
                hear, read = opened(asked["options"])
                say(event="opened", package=asked["package"], version=_version(asked["package"]))
            elif asked["op"] == "hear" and hear is not None:
                np.save(asked["to"], np.asarray(hear(np.load(asked["audio"], allow_pickle=False)), dtype=np.float32))
                say(event="heard")
            elif asked["op"] == "read" and read is not None:
                np.save(asked["to"], np.asarray(read(asked["text"]), dtype=np.float32))
                say(event="heard")
            else:
                say(event="error", text=f"cannot {asked['op']}")
        except Exception as error:  # noqa: BLE001 - told to the parent, which decides
            say(event="error", text=_told(error))


def _told(error: Exception) -> str:
    # PyTorch's words on a pickle with code go on with how to run that code.
    said = "it holds more than tensors" if type(error).__name__ == "UnpicklingError" else error
    return f"{type(error).__name__}: {said}"


def _version(package: str) -> str:
    from importlib import metadata

    return metadata.version(package)


if __name__ == "__main__":
    answer(importlib.import_module(sys.argv[1]).opened)
