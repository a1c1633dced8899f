"""YAML that remembers the line of every key, so that an error can say where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from calm_eval.errors import InputError

Location = tuple[str | int, ...]

_MAX_NODES = 200_000
_PLAIN_TAGS = ("map", "seq", "str", "int", "float", "bool", "null", "timestamp")


@dataclass(frozen=True)
class YamlFile:
    """A parsed file: its data, and the 1-based line of every key path (`("metrics", 0, "name")`)."""

    path: Path
    data: Any
    lines: dict[Location, int]

    def line(self, location: Location) -> int:
        """The line of a key path, or of the nearest enclosing one."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location, 1)


class _Builder:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Location, int] = {}
        self.constructor = yaml.constructor.SafeConstructor()
        self.nodes = 0

    def fail(self, node: yaml.Node, text: str) -> InputError:
        return InputError(f"{self.path}:{node.start_mark.line + 1}: {text}")

    def build(self, node: yaml.Node, location: Location) -> Any:
        self.nodes += 1
        # Nested aliases can describe more nodes than memory holds.
        if self.nodes > _MAX_NODES or len(location) > 100:
            raise self.fail(node, "the file is nested too deeply or repeats itself too often")
        self.lines.setdefault(location, node.start_mark.line + 1)
        if node.tag.removeprefix("tag:yaml.org,2002:") not in _PLAIN_TAGS:
            raise self.fail(node, f"the tag '{node.tag}' is not allowed; write plain values, lists and mappings")
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*location, index)) for index, child in enumerate(node.value)]
        try:
            return self.constructor.construct_object(node)
        except (yaml.constructor.ConstructorError, ValueError) as error:
            raise self.fail(node, f"cannot read this value: {error}") from error

    def mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.build(key_node, (*location, "?"))
            if not isinstance(key, str):
                raise self.fail(key_node, f"key {key!r} is not text; put it in quotes")
            if key in result:
                first = self.lines[(*location, key)]
                raise self.fail(key_node, f"key '{key}' stands twice (first in line {first})")
            self.lines[(*location, key)] = key_node.start_mark.line + 1
            result[key] = self.build(value_node, (*location, key))
        return result


def read_yaml(path: Path) -> YamlFile:
    """Read one YAML file. Raises InputError with file and line on a syntax error, a double key or a strange tag."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}:{line}: not valid YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{path}: not valid YAML: {error}") from error
    if node is None:
        raise InputError(f"{path}:1: the file is empty")
    builder = _Builder(path)
    data = builder.build(node, ())
    return YamlFile(path, data, builder.lines)
