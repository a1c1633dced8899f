"""The rows of a latency table: a system with one sampling, as it was asked for and as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from calm_eval.errors import InputError
from calm_eval.systems.protocol import Value
from calm_eval.systems.sampling import read_value


@dataclass(frozen=True)
class RowWish:
    """What is asked for: `system` by name or file, and the parameters that are not at their defaults."""

    system: str
    sampling: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> RowWish:
        """From `NAME` or `NAME:steps=4,temperature=0.7`. Raises InputError."""
        name, colon, rest = text.partition(":")
        if not name or (colon and not rest):
            raise InputError(f"'{text}': expected NAME or NAME:parameter=value,parameter=value")
        sampling: dict[str, Value] = {}
        for part in rest.split(",") if rest else []:
            key, equals, value = part.partition("=")
            if not equals or not key or not value:
                raise InputError(f"'{text}': '{part}' is not parameter=value")
            if key in sampling:
                raise InputError(f"'{text}': '{key}' is given twice")
            sampling[key] = read_value(value)
        return cls(name, sampling)


@dataclass(frozen=True)
class Row:
    """A row that can be measured.

    `name` is the system's with whatever differs from its defaults. `frame_rate` in Hz (0: no frames); `head_rate` is
    head evaluations per second of audio; `weight_bytes` is what one frame reads of each part's weights, empty where the
    system does not say. `unscored` is why its quality may not be scored, such as `untrained`. `mode` is how it
    computes: `eager`, `compiled`, `cuda-graph`, as the system declares.
    """

    name: str
    system: str
    sampling: Mapping[str, Value]
    seconds: float
    family: str = "other"
    frame_rate: float = 0.0
    head_rate: float | None = None
    weight_bytes: Mapping[str, float] = field(default_factory=dict)
    unscored: str = ""
    mode: str = "eager"
    identity: Mapping[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)
