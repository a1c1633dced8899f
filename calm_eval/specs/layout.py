"""A table layout: which rows and columns of a run, under which names, with how many digits."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from calm_eval.errors import InputError
from calm_eval.specs.base import Spec, load_spec

LayoutKind = Literal["paper", "sweep", "ablation", "latency"]
_READ_BY: dict[str, tuple[LayoutKind, ...]] = {
    "columns": ("paper", "ablation", "latency"),
    "published": ("paper", "ablation", "latency"),
    "baseline": ("ablation",),
    "metric": ("sweep",),
}
Places = Annotated[int, Field(ge=0, le=6)]


class RowUse(Spec):
    """Rows by name or pattern (`mini-calm-music*`), shown under another name."""

    row: str
    name: str | None = None


class ColumnUse(Spec):
    """A metric by name, or `heads` or `n`; its own title and decimals."""

    column: str
    name: str | None = None
    decimals: Places | None = None


class LayoutSpec(Spec):
    """One file. Without `rows` all rows stand in the order of the plan, without `columns` the suite's own.

    `suite` is one of the run's, all when left out. `decimals` left out: as many as the interval bears. `baseline` is
    the row that an ablation is held against (default: the first). `metric` is what a sweep shows (default: the
    suite's `pick`).
    """

    layout: LayoutKind
    suite: str | None = None
    title: str | None = None
    caption: str | None = None
    label: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9:-]*$")] | None = None
    rows: list[str | RowUse] = Field(default_factory=list)
    columns: list[str | ColumnUse] = Field(default_factory=list)
    decimals: Places | None = None
    intervals: bool = True
    marks: bool = True
    controls: bool = True
    published: bool = True
    baseline: str | None = None
    metric: str | None = None

    @model_validator(mode="after")
    def _nothing_in_vain(self) -> Self:
        for key, kinds in _READ_BY.items():
            default = type(self).model_fields[key].get_default(call_default_factory=True)
            if getattr(self, key) != default and self.layout not in kinds:
                raise ValueError(f"'{key}' says nothing in the layout {self.layout}; it is read by: {', '.join(kinds)}")
        return self

    @property
    def row_uses(self) -> list[RowUse]:
        """`rows` with bare names as patterns."""
        return [RowUse(row=one) if isinstance(one, str) else one for one in self.rows]

    @property
    def column_uses(self) -> list[ColumnUse]:
        """`columns` with bare names as metrics."""
        return [ColumnUse(column=one) if isinstance(one, str) else one for one in self.columns]


def load_layout(name_or_path: str) -> LayoutSpec:
    """A layout by its kind's name, or from a YAML file. Raises InputError."""
    kinds: tuple[LayoutKind, ...] = get_args(LayoutKind)
    for kind in kinds:
        if name_or_path == kind:
            return LayoutSpec(layout=kind)
    path = Path(name_or_path)
    if not path.is_file():
        raise InputError(f"layout '{name_or_path}': neither one of {', '.join(kinds)} nor a file")
    return load_spec(LayoutSpec, path)[0]
