"""What a metric is: a frozen description, and a pure measurement of one sample or of a set of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from calm_eval.judges.protocol import Judgement

Kind = Literal["item", "ratio", "pair", "set"]
Judged = Literal[
    "sample", "prompt", "prompt_round_trip", "reference", "text", "reference_set", "with_reference", "with_prompt"
]
"""What a judge may be asked about: an audio, the text of the item (a judge of texts and audio), the reference set, or
the sample together with its item's reference or prompt (a judge of pairs)."""


@dataclass(frozen=True)
class MetricSpec:
    """Everything that a table, an interval or a gate needs to know of a metric.

    `kind` decides what is stored and how intervals are made: `item` (mean of one value an item), `ratio` (sums of an
    item's parts), `pair` (one value for a sample and its reference: an item that lacks either is an error of the
    input), `set` (one value for all samples of a row). `needs` names parts of the item (`text`, `prompt`,
    `prompt_round_trip`, `reference`) or the suite's `reference_set`. `judged` says what the judge is asked about.
    `version` is raised by hand when values change. `scale` multiplies for display only.
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
    """What a metric may see of one sample: the item's text, judgements, the failure or flags, and the timing.

    `spans` are (name, step, nanoseconds), for metrics with `timing` alone.
    """

    failure: str | None
    flags: tuple[str, ...] = ()
    text: str | None = None
    seconds: float | None = None
    generate_seconds: float | None = None
    first_audio_seconds: float | None = None
    spans: Sequence[tuple[str, int, int]] = ()
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


@dataclass(frozen=True)
class SetSample:
    """One sample among all of a row."""

    item: str
    seed: int
    view: SampleView


@dataclass(frozen=True)
class SetReference:
    """One clip of the reference set with what the judge made of it."""

    id: str
    judgement: Judgement


@dataclass(frozen=True)
class GateVerdict:
    """The name of why a row's values mean nothing (None: they do), and what was measured to know it."""

    invalid: str | None = None
    warnings: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SetValue:
    """The value of a row's samples as one set, or the name of why there is none.

    `low` and `high` bound the 95 % interval and `method` says how it was made. `scored` counts the samples that are in
    the value, `failures` by name those that are not. `warnings` are names that a reader of the cell must see; `notes`
    are figures that belong to the value (counts, rank, noise floor).
    """

    value: float | None
    scored: int
    failures: Mapping[str, int] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    method: str = ""
    refused: str | None = None
    warnings: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)


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


class SetMetric(Protocol):
    """A metric over all samples of a row (kind `set`)."""

    @property
    def spec(self) -> MetricSpec:
        """Its description."""
        ...

    def measure_set(self, samples: Sequence[SetSample], references: Sequence[SetReference]) -> SetValue:
        """The value of a row. Both sequences read from disk as they are walked: walk them, do not keep them.

        `references` is the reference set as the judge heard it; empty for a metric that does not ask for it.
        """
        ...


class GatedMetric(Metric, Protocol):
    """A metric of kind `item` or `ratio` that is valid for a row only when a check over all its samples says so."""

    def gate(self, samples: Sequence[SetSample]) -> GateVerdict:
        """Whether the values of a row mean anything."""
        ...
