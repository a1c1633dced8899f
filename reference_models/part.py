"""The base of everything that a preset file holds."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """A frozen part of a preset that refuses unknown keys and loose types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
