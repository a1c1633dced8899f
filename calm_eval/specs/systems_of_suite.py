"""The systems that a suite compares: by name, with the sweep of each."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from calm_eval.specs.base import Spec

Values = Annotated[list[bool | int | float | str], Field(min_length=1)]
SweepSpec = dict[str, Values]
"""Values to try, by sampling parameter."""


class SystemUse(Spec):
    """A system of a suite; `sweep` stands for the suite's own where it is given (`{}`: the default alone)."""

    name: str
    sweep: SweepSpec | None = None
