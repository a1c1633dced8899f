"""Samplings of one system as a grid: one parameter down, the temperature across, all others at their defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calm_eval.runs.row_order import default_row, rank
from calm_eval.runs.rows import Variant
from calm_eval.systems.protocol import Value

ACROSS = "temperature"
Place = tuple[Value, Value | None]


@dataclass(frozen=True)
class Grid:
    """`rows` by the value of `down` and that of `across` (None where one parameter alone is swept)."""

    base: Variant
    down: str
    across: str | None
    rows: Mapping[Place, Variant]

    @property
    def downs(self) -> list[Value]:
        """The values of the rows, in order."""
        return sorted({value for value, _ in self.rows}, key=rank)

    @property
    def acrosses(self) -> list[Value | None]:
        """The values of the columns, in order."""
        return sorted({value for _, value in self.rows}, key=rank)

    @property
    def others(self) -> str:
        """The parameters that do not move: `cfg 2, depth 8`; empty where all do."""
        fixed = {name: value for name, value in self.base.sampling.items() if name not in (self.down, self.across)}
        return ", ".join(f"{name} {said(value)}" for name, value in fixed.items())


def grids(rows: Sequence[Variant]) -> list[Grid]:
    """One for each system and swept parameter, by that of the temperature if it is swept too; controls have none."""
    by_system: dict[str, list[Variant]] = {}
    for row in rows:
        if not row.control:
            by_system.setdefault(row.system, []).append(row)
    return [_grid(mine, down, across) for mine in by_system.values() for down, across in _moved(mine)]


def said(value: Value | None) -> str:
    """A value as it stands in a table."""
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _moved(rows: Sequence[Variant]) -> list[tuple[str, str | None]]:
    """Which parameter goes down and which across, for each grid of a system."""
    names = list(dict.fromkeys(name for row in rows for name in row.sampling))
    swept = [name for name in names if len({row.sampling.get(name) for row in rows}) > 1]
    if swept == [ACROSS]:
        return [(ACROSS, None)]
    across = ACROSS if ACROSS in swept else None
    return [(name, across) for name in swept if name != ACROSS]


def _grid(rows: Sequence[Variant], down: str, across: str | None) -> Grid:
    base = default_row(rows)
    places: dict[Place, Variant] = {}
    for row in rows:
        fixed = [name for name in base.sampling if name not in (down, across)]
        if all(row.sampling.get(name) == base.sampling[name] for name in fixed):
            places.setdefault((row.sampling[down], row.sampling[across] if across else None), row)
    return Grid(base, down, across, places)
