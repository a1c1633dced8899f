"""Work in pieces of one speed each, and how fast a piece goes by this run and by this machine's past."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from calm_eval.runs.speeds import Speed

PAST_WEIGHT = 4.0
"""A past speed weighs as much as so many pieces of this run."""

STEADY = 10.0
"""Seconds of work as foretold that weigh on this run being neither faster nor slower than the machine was."""

Name = tuple[str, ...]
"""Kind of a piece first: `start`, `row`, `load`, `judge`, `values` or `report`; then whose it is."""


@dataclass(frozen=True)
class Piece:
    """Work of one kind and speed: `count` pieces, `units` in all (seconds of audio, or pieces).

    Its speed is kept under all of `keys`, the nearest likeness first. `kin` are pieces whose speed in this run stands
    for it where nothing else is known; empty where nothing does.
    """

    name: Name
    keys: tuple[str, ...]
    count: int
    units: float
    kin: str = ""


@dataclass(frozen=True)
class Left:
    """Seconds that are left of what is known, and the names of the pieces whose speed is not."""

    seconds: float
    unknown: tuple[Name, ...] = ()


def speed_of(piece: Piece, live: Mapping[str, Speed], past: Mapping[str, Speed], slower: float) -> float | None:
    """Seconds for each unit, by the nearest key that is known; None where none is.

    Where both are, the past (times `slower`) weighs as `PAST_WEIGHT` pieces of this run's mean size.
    """
    for key in piece.keys:
        now, then = live.get(key), past.get(key)
        if now is not None and then is not None:
            weight = PAST_WEIGHT * now.units / now.count
            return (now.seconds + weight * then.per_unit * slower) / (now.units + weight)
        if then is not None:
            return then.per_unit * slower
        if now is not None:
            return now.per_unit
    kin = live.get(piece.kin)
    return kin.per_unit if kin is not None else None


def slowdown(measured: float, foretold: float) -> float:
    """How much slower this run is than the machine was: seconds measured over seconds foretold for the same work.

    Drawn towards 1 while little has been done.
    """
    return (measured + STEADY) / (foretold + STEADY)
