"""Sampling parameters: what was asked, completed by the defaults and held against what the system declares."""

from __future__ import annotations

from collections.abc import Mapping

from calm_eval.errors import InputError
from calm_eval.systems.protocol import Parameter, Value


def resolve_sampling(system: str, declared: Mapping[str, Parameter], asked: Mapping[str, Value]) -> dict[str, Value]:
    """Every declared parameter with its value. Raises InputError on one that the system does not take, or on a value

    of the wrong type or outside its range: a parameter is never ignored.
    """
    for name in asked:
        if name not in declared:
            raise InputError(
                f"system '{system}' takes no parameter '{name}'; it takes: {', '.join(declared) or 'none'}"
            )
    return {name: _value(f"{system}: {name}", one, asked.get(name, one.default)) for name, one in declared.items()}


def read_value(text: str) -> Value:
    """A value from the command line: a whole number, a number, `true` or `false`, else the text itself."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text, text)


def takes(parameter: Parameter, value: Value) -> bool:
    """Whether a value is of the parameter's type and within its range."""
    try:
        _value("", parameter, value)
    except InputError:
        return False
    return True


def _value(where: str, parameter: Parameter, value: Value) -> Value:
    kind = type(parameter.default)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise InputError(f"{where}: expected {kind.__name__}, got {value!r}")
    if parameter.choices and value not in parameter.choices:
        raise InputError(f"{where}: {value!r} is none of {', '.join(map(repr, parameter.choices))}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        low = parameter.low if parameter.low is not None else float("-inf")
        high = parameter.high if parameter.high is not None else float("inf")
        if not low <= value <= high:
            raise InputError(f"{where}: {value} is outside {low:g} to {high:g}")
    return value


def variant_name(system: str, declared: Mapping[str, Parameter], sampling: Mapping[str, Value]) -> str:
    """The system's name, followed by every parameter that differs from its default."""
    moved = [f"{name}={sampling[name]:g}" if isinstance(sampling[name], float) else f"{name}={sampling[name]}"
             for name in declared if sampling[name] != declared[name].default]  # fmt: skip
    return " ".join([system, *moved])
