"""A public data set in a suite: the loader that reads it, and what a user must get before it can be read."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated

from pydantic import Field, field_validator

from calm_eval.specs.base import Spec

LoaderOption = bool | int | float | str


class DatasetUse(Spec):
    """A loader by its registered name, with its options (see `calm_eval.data.datasets`)."""

    loader: str
    options: dict[str, LoaderOption] = Field(default_factory=dict)


class DataPart(Spec):
    """One thing to get: `where` says in words who gives it, `put` is its place below the data root.

    `put` is null for what the loader fetches by itself on first use.
    """

    name: str
    where: str
    licence: str
    put: str | None = None

    @field_validator("put")
    @classmethod
    def _below_the_root(cls, put: str | None) -> str | None:
        if put is not None and (PurePosixPath(put).is_absolute() or ".." in PurePosixPath(put).parts or not put):
            raise ValueError(f"'{put}' is no path below the data root")
        return put


class DataSpec(Spec):
    """The data of a suite. `items` is how many there are, before a loader leaves any out for being short.

    `ids_digest` is the sha256 of the sorted ids joined by newlines. Null means not known: it is recorded on first use.
    """

    parts: Annotated[list[DataPart], Field(min_length=1)]
    items: Annotated[int, Field(ge=1)] | None = None
    ids_digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
