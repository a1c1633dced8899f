"""A progress bar for long work: live on a terminal, one line a minute elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


class ProgressBar:
    """Used as `with ProgressBar("reading", "clip") as told: ... told(done, of)`. It appears with the first call."""

    def __init__(self, what: str, unit: str) -> None:
        self._what, self._unit = what, unit
        self._bar: Any = None

    def __enter__(self) -> Callable[..., None]:
        return self._told

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _told(self, done: int, of: int, loss: float | None = None) -> None:
        from tqdm import tqdm

        if self._bar is None:
            every = 0.2 if sys.stderr.isatty() else 60.0
            self._bar = tqdm(total=of, initial=done - 1, desc=self._what, unit=self._unit, mininterval=every)
        if loss is not None:
            self._bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
        self._bar.update(done - self._bar.n)
