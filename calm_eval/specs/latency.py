"""A latency suite: which rows are timed, beside which one, and what a paper has printed of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from calm_eval.specs.base import Spec, load_spec
from calm_eval.specs.locate import LATENCY_PREFIX, bundled_folder
from calm_eval.specs.suite import Option, Task


class LatencyRow(Spec):
    """A system with one sampling. `same_backbone`: as the row beside which it is measured, so that the head must
    explain the difference. `published`: system and variant of the published table that this row stands beside.
    """

    system: str
    sampling: dict[str, Option] = Field(default_factory=dict)
    same_backbone: bool = False
    published: Annotated[list[str], Field(min_length=2, max_length=2)] | None = None


class LatencySuite(Spec):
    """One file. `against` is the place of the row, from 1, that the others are compared with."""

    name: str
    version: Annotated[int, Field(ge=1)]
    kind: Literal["latency"]
    title: str
    description: str
    task: Task
    against: Annotated[int, Field(ge=1)] = 1
    published: str = ""
    rows: Annotated[list[LatencyRow], Field(min_length=1)]
    notes: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _fits(self) -> LatencySuite:
        if self.against > len(self.rows):
            raise ValueError(f"against: there are {len(self.rows)} rows")
        if any(row.published for row in self.rows) and not self.published:
            raise ValueError("rows stand beside a published table: name it in 'published'")
        return self


def latency_suites() -> dict[str, Path]:
    """Name to file of every bundled latency suite."""
    root = bundled_folder()
    files = sorted(root.glob(f"*/{LATENCY_PREFIX}*.yaml"))
    return {path.relative_to(root).with_suffix("").as_posix(): path for path in files}


def find_latency_suite(name_or_path: str) -> Path | None:
    """The file of a latency suite, None where the name is not one's. A path is one's by its `kind` line."""
    known = latency_suites()
    name = name_or_path.removeprefix("suites/").removesuffix(".yaml")
    path = Path(name_or_path)
    if not path.is_file():
        return known.get(name)
    text = path.read_text(encoding="utf-8", errors="replace")
    return path if any(line.split("#")[0].split() == ["kind:", "latency"] for line in text.splitlines()) else None


def load_latency_suite(path: Path) -> LatencySuite:
    """Read and validate one file. Raises InputError."""
    return load_spec(LatencySuite, path)[0]
