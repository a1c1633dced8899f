"""Which samplings of a system a sweep asks for: a star around its default, or a grid."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from calm_eval.systems.protocol import Parameter, Value
from calm_eval.systems.sampling import takes

Sweep = Mapping[str, Sequence[Value]]
Asked = dict[str, Value]


def star(base: Mapping[str, Value], sweep: Sweep, declared: Mapping[str, Parameter]) -> list[Asked]:
    """`base`, then `base` with one parameter moved at a time, in the order of the sweep.

    One sweep serves many systems, so a parameter that this one does not declare is left out, and so is a value outside
    of what it takes: the rows of the plan say what is run.
    """
    moved = [
        {**base, name: value}
        for name, values in sweep.items()
        if name in declared
        for value in values
        if takes(declared[name], value)
    ]
    return [dict(base), *moved]


def grid(base: Mapping[str, Value], sweep: Sweep, declared: Mapping[str, Parameter]) -> list[Asked]:
    """`base` with every combination of the values of the declared parameters; `base` alone where none is declared."""
    here = {name: values for name, values in sweep.items() if name in declared}
    return [{**base, **dict(zip(here, values, strict=True))} for values in itertools.product(*here.values())]
