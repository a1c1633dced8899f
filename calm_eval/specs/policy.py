"""What a candidate must hold to pass: which metrics of which rows, by what margins, at which error rate."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from calm_eval.specs.base import Spec, load_spec
from calm_eval.specs.suite import Name

Rate = Annotated[float, Field(gt=0, lt=0.5)]


class GateSpec(Spec):
    """One metric of one row. `margin` is the loss that would matter, above 0, in `unit` as the tables print it.

    Which direction is a loss, the metric knows. `row` is a row of the suite's table by its name; `judge` tells two
    metrics of one name apart. `limit` is a value in the same unit that the row may not be worse than, whatever the
    baseline was. A gate that is not `primary` reports and decides nothing.
    """

    suite: Name
    row: str
    metric: str
    judge: str | None = None
    margin: Annotated[float, Field(gt=0)]
    unit: str
    primary: bool = True
    limit: float | None = None

    @property
    def title(self) -> str:
        """`suite: row, metric`."""
        return f"{self.suite}: {self.row}, {self.metric}{f' by {self.judge}' if self.judge else ''}"


class LatencyGateSpec(Spec):
    """The time of a row over that of another, measured side by side. `margin` is the ratio that would matter, above 1.

    `row` and `against` are rows of a latency measurement; `quantity` says which time of the two, each for a second of
    audio.
    """

    row: str
    against: str
    quantity: Literal["head", "step", "end_to_end"] = "end_to_end"
    margin: Annotated[float, Field(gt=1)]
    primary: bool = True

    @property
    def title(self) -> str:
        """`row against other, step`."""
        return f"{self.row} against {self.against}, {self.quantity}"


class PolicySpec(Spec):
    """One file. `alpha` is one-sided: how often all of it together may fail a candidate in which nothing changed.

    `looks` are numbers of seeds, ascending: a candidate that is INCONCLUSIVE at one may be looked at with the next, and
    alpha is spent over them. The baseline holds as many seeds as the last. Without looks there is one, of its seeds.
    """

    policy: Name
    alpha: Rate = 0.05
    looks: Annotated[list[Annotated[int, Field(ge=1)]], Field(max_length=3)] = Field(default_factory=list)
    gates: Annotated[list[GateSpec], Field(min_length=1)]
    latency: list[LatencyGateSpec] = Field(default_factory=list)

    @model_validator(mode="after")
    def _looks_ascend(self) -> Self:
        if any(later <= earlier for earlier, later in itertools.pairwise(self.looks)):
            raise ValueError(f"looks must ascend, got {self.looks}")
        return self

    @model_validator(mode="after")
    def _each_once_and_one_decides(self) -> Self:
        titles = [one.title for one in self.gates] + [one.title for one in self.latency]
        doubled = [title for title in titles if titles.count(title) > 1]
        if doubled:
            raise ValueError(f"'{doubled[0]}' is gated twice")
        if not any(one.primary for one in self.gates):
            raise ValueError("no gate is primary: such a policy could never fail")
        return self


def load_policy(path: Path) -> PolicySpec:
    """Read a policy file. Raises InputError naming file, line and what is allowed."""
    return load_spec(PolicySpec, path)[0]
