"""What one self-test is. A metric's file may hold `CHECKS`, a judge's file `GOLDENS`; nothing else registers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from calm_eval.judges.protocol import Judgement


@dataclass(frozen=True)
class Check:
    """A figure that is known from elsewhere: `got()` lies within `tolerance` (absolute) of `expected`."""

    title: str
    got: Callable[[], float]
    expected: float
    tolerance: float = 0.0


@dataclass(frozen=True)
class Golden:
    """What a registered judge says of a signal (`calm_eval.selftest.signals`), or of a text, as one figure."""

    judge: str
    title: str
    read: Callable[[Judgement], float]
    expected: float
    tolerance: float
    signal: str | None = None
    text: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """One self-test done. `state` is `ok`, `FAIL` or why it was not done here."""

    subject: str
    title: str
    state: str
    got: float | None = None
    expected: float | None = None
    tolerance: float | None = None

    @property
    def failed(self) -> bool:
        """Whether the figure is wrong."""
        return self.state == "FAIL"
