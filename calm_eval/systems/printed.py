"""What a foreign process prints: read to the end whatever its amount, kept up to a limit."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from pathlib import Path
from typing import IO

LOG_LIMIT_BYTES = 1_000_000
"""What a process prints beyond this is read and dropped, so that a flood fills neither pipe, memory nor disk."""


class Printed:
    """Drains a pipe into a log file in a thread of its own, and remembers the last lines."""

    def __init__(self, pipe: IO[bytes], log: Path) -> None:
        self._lines: deque[str] = deque(maxlen=40)
        self._thread = threading.Thread(target=self._drain, args=(pipe, log), daemon=True)
        self._thread.start()

    def _drain(self, pipe: IO[bytes], log: Path) -> None:
        room = LOG_LIMIT_BYTES
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            while block := os.read(pipe.fileno(), 65536):
                # A full disk must not stop the reading: the process would block on its next word.
                with contextlib.suppress(OSError):
                    file.write(block[:room])
                    file.flush()
                room = max(0, room - len(block))
                self._lines.extend(block[-4000:].decode("utf-8", "replace").splitlines())

    def tail(self) -> str:
        """The end of what was printed, on one line; waits shortly for the pipe to run dry."""
        self._thread.join(timeout=5)
        return " | ".join(line.strip() for line in list(self._lines) if line.strip())[-600:]
