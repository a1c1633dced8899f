"""Where the time of a run goes, and how far it is: a stopwatch for model and judge calls, and a progress line."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path


class Stopwatch:
    """Seconds spent in marked calls (`model`, `judge`) and in all."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.began_at = datetime.now(UTC).isoformat(timespec="seconds")
        self.marked = {"model": 0.0, "judge": 0.0}

    @contextlib.contextmanager
    def mark(self, what: str) -> Iterator[None]:
        """Count the time inside as `model` or `judge`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.marked[what] += time.perf_counter() - began

    @property
    def wall(self) -> float:
        """Seconds since the stopwatch was made."""
        return time.perf_counter() - self.began


class Progress:
    """A bar with an ETA on a terminal; in any case a log file with a line at least once a minute."""

    def __init__(self, log: Path, *, quiet: bool = False) -> None:
        self.log = log
        self.quiet = quiet
        self.ahead: Callable[[], str] | None = None
        """Says what is left of the whole run, for the line of each minute."""
        self._last = time.monotonic()

    def say(self, text: str) -> None:
        """One line for the person and the log."""
        self.note(text)
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """One line for the log alone."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now().astimezone().isoformat(timespec='seconds')} {text}\n")

    @contextlib.contextmanager
    def steps(self, title: str, total: int) -> Iterator[Step]:
        """Count `total` steps under a title."""
        from tqdm import tqdm

        shown = sys.stderr.isatty() and not self.quiet
        with tqdm(total=total, desc=title, disable=not shown, leave=False, unit="") as bar:
            yield Step(self, bar, title, total)

    def tick(self, title: str, done: int, total: int, seconds: float) -> None:
        """Called at each step: writes a line when the last one is a minute old."""
        now = time.monotonic()
        if now - self._last >= 60:
            self._last = now
            left = seconds / done * (total - done) if done else 0.0
            whole = f"; {self.ahead()}" if self.ahead is not None else ""
            line = f"{title}: {done} of {total}, about {left:.0f} s left{whole}"
            self.note(line)
            if not self.quiet and not sys.stderr.isatty():
                print(line, file=sys.stderr, flush=True)


class Step:
    """One counted piece of work."""

    def __init__(self, progress: Progress, bar: object, title: str, total: int) -> None:
        self._progress = progress
        self._bar = bar
        self._title = title
        self._total = total
        self._done = 0
        self._began = time.monotonic()

    def done(self, count: int = 1) -> None:
        """Some steps are finished."""
        self._done += count
        self._bar.update(count)  # type: ignore[attr-defined]
        self._progress.tick(self._title, self._done, self._total, time.monotonic() - self._began)
