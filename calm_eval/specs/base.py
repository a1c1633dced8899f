"""The base of every spec: strict types, no unknown keys, and errors that name file, line and what is allowed."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from calm_eval.errors import InputError
from calm_eval.specs.yaml_lines import YamlFile, read_yaml

SpecType = TypeVar("SpecType", bound="Spec")


class Spec(BaseModel):
    """A frozen, strictly typed mapping that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys_only(cls, data: Any) -> Any:
        if isinstance(data, dict):
            allowed = list(cls.model_fields)
            for key in data:
                if key not in allowed:
                    near = difflib.get_close_matches(str(key), allowed, n=1)
                    hint = f"did you mean '{near[0]}'? " if near else ""
                    raise PydanticCustomError(
                        "unknown_key",
                        "unknown key '{key}'; {hint}allowed: {allowed}",
                        {"key": key, "hint": hint, "allowed": ", ".join(allowed)},
                    )
        return data

    @classmethod
    def parse(cls, file: YamlFile) -> Self:
        """Validate a parsed YAML file. Raises InputError listing every mistake with its line."""
        try:
            return cls.model_validate(file.data)
        except ValidationError as error:
            raise InputError("\n".join(_explain(file, detail) for detail in error.errors())) from error


def _explain(file: YamlFile, detail: Any) -> str:
    location = tuple(detail["loc"])
    context = detail.get("ctx", {})
    if detail["type"] == "unknown_key":
        location = (*location, context["key"])
    name = ".".join(str(part) for part in location)
    text = detail["msg"]
    if detail["type"] == "missing":
        text = f"key '{location[-1]}' is missing"
    elif detail["type"] not in ("unknown_key", "value_error"):
        shown = repr(detail["input"])
        text = f"{text}; got {shown if len(shown) < 80 else shown[:77] + '...'}"
    where = f"{name}: " if name and detail["type"] not in ("unknown_key", "missing") else ""
    return f"{file.path}:{file.line(location)}: {where}{text}"


def load_spec(model: type[SpecType], path: Path) -> tuple[SpecType, YamlFile]:
    """Read and validate one file. Raises InputError."""
    file = read_yaml(path)
    if not isinstance(file.data, dict):
        raise InputError(f"{path}:1: expected 'key: value' lines, found {type(file.data).__name__}")
    return model.parse(file), file
