"""One child process: start, talk in JSON lines with a deadline, and end it whatever state it is in."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import IO, Any

from calm_eval.systems.printed import Printed


class ProcessEnded(Exception):  # noqa: N818 - an event of the conversation, named for what happened
    """The child closed its pipe. The text says how it ended and what it said last."""


class DeadlinePassed(Exception):  # noqa: N818
    """No answer within the time limit."""


class Process:
    """A child with its own process group; `send` and `receive` one JSON object at a time."""

    def __init__(self, argv: list[str], environment: dict[str, str], log: Path) -> None:
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._popen = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        assert self._popen.stdout is not None
        assert self._popen.stderr is not None
        self._reader = threading.Thread(target=self._read, args=(self._popen.stdout,), daemon=True)
        self._reader.start()
        self._printed = Printed(self._popen.stderr, log)

    def _read(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            try:
                message = json.loads(line)
            except ValueError:
                break
            self._answers.put(message)
        self._answers.put(None)

    def send(self, message: dict[str, Any]) -> None:
        """Send one object. Raises ProcessEnded when the child is gone."""
        assert self._popen.stdin is not None
        try:
            self._popen.stdin.write(json.dumps(message).encode() + b"\n")
            self._popen.stdin.flush()
        except OSError as error:
            raise ProcessEnded(self.last_words()) from error

    def receive(self, deadline: float) -> dict[str, Any]:
        """The next object; `deadline` on time.monotonic. Raises DeadlinePassed or ProcessEnded."""
        try:
            message = self._answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty as error:
            raise DeadlinePassed("no answer in time") from error
        if message is None:
            raise ProcessEnded(self.last_words())
        return message

    def last_words(self) -> str:
        """How the process ended, and the end of what it printed."""
        try:
            code = self._popen.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()
            return "it closed its pipe, or wrote into it what no system may write"
        how = f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"
        tail = self._printed.tail()
        return f"{how}; it said last: {tail}" if tail else how

    def kill(self) -> None:
        """End the child and everything it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()

    def close(self, patience: float = 5.0) -> None:
        """Ask the child to stop, then end it."""
        with contextlib.suppress(ProcessEnded):
            self.send({"op": "stop"})
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout=patience)
        self.kill()
        for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError, ValueError):
                    pipe.close()
