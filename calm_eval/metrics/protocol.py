"""What a metric is: a frozen description, and a pure measurement of one sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from calm_eval.judges.protocol import Judgement

Kind = Literal["item", "ratio", "pair", "set"]
Judged = Literal["sample", "prompt", "reference"]


@dataclass(frozen=True)
class MetricSpec:
    """Everything that a table, an interval or a gate needs to know of a metric.

    `kind` decides what is stored and how intervals are made: `item` (mean of one value an item), `ratio` (sums of an
    item's parts). `needs` names parts of the item (`text`, `prompt`, `reference`). `judged` says which audios the
    judge hears. `version` is raised by hand when values change. `scale` multiplies for display only.
    """

    name: str
    title: str
    unit: str
    higher_is_better: bool
    kind: Kind
    version: int
    low: float | None = None
    high: float | None = None
    needs: tuple[str, ...] = ()
    judge: str | None = None
    judged: tuple[Judged, ...] = ("sample",)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    scale: float = 1.0
    timing: bool = False
    definition: str = ""


@dataclass(frozen=True)
class SampleView:
    """What a metric may see of one sample: the item's text, judgements, the failure or flags, and the timing."""

    failure: str | None
    flags: tuple[str, ...] = ()
    text: str | None = None
    seconds: float | None = None
    generate_seconds: float | None = None
    first_audio_seconds: float | None = None
    judgements: Mapping[Judged, Judgement] = field(default_factory=dict)


@dataclass(frozen=True)
class ItemValue:
    """The value of one sample as numerator over denominator (1 for an `item` metric), or the name of why there is none.

    `parts` keeps what the value was made of (substitutions, deletions, ...), for the reader and for later metrics;
    `flags` name what should make a reader wary of this value, and are counted in the report.
    """

    numerator: float | None = None
    denominator: float | None = None
    parts: Mapping[str, Any] = field(default_factory=dict)
    refused: str | None = None
    flags: tuple[str, ...] = ()


def refuse(name: str) -> ItemValue:
    """No value, for a named reason."""
    return ItemValue(refused=name)


class Metric(Protocol):
    """A metric over samples."""

    @property
    def spec(self) -> MetricSpec:
        """Its description."""
        ...

    def measure(self, view: SampleView) -> ItemValue:
        """The value of one sample; what a failed sample is worth is decided here."""
        ...
