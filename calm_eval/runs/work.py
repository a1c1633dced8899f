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

    Its speed is kept under all of `keys` and `kin`, the nearest likeness first. `keys` stand for the same work; `kin`
    for work that may well go at another speed.
    """

    name: Name
    keys: tuple[str, ...]
    count: int
    units: float
    kin: tuple[str, ...] = ()

    def speeds(self, one: Speed) -> dict[str, Speed]:
        """What was measured on this piece, under every key that it tells something of."""
        return {**dict.fromkeys((*self.keys, *self.kin), one), self._any: Speed(one.count, one.count, one.seconds)}

    @property
    def _any(self) -> str:
        """Pieces of the same kind, whatever they are: seconds for each piece."""
        return f"any/{self.name[0]}"


@dataclass(frozen=True)
class Left:
    """Seconds that are left, and the names of the pieces whose speed is `guessed` from other work, or not known."""

    seconds: float
    guessed: tuple[Name, ...] = ()
    unknown: tuple[Name, ...] = ()


@dataclass(frozen=True)
class Pace:
    """Seconds for each unit of a piece; `guessed` where it is the pace of other work of the same kind."""

    per_unit: float
    guessed: bool = False


def pace(piece: Piece, live: Mapping[str, Speed], past: Mapping[str, Speed], slower: float) -> Pace | None:
    """How fast a piece goes by the nearest key that is known; None where nothing of its kind was ever measured."""
    for key in (*piece.keys, *piece.kin):
        found = _per_unit(key, live, past, slower)
        if found is not None:
            return Pace(found, guessed=key not in piece.keys)
    each = _per_unit(piece._any, live, past, slower)
    return Pace(each * piece.count / piece.units, guessed=True) if each is not None else None


def _per_unit(key: str, live: Mapping[str, Speed], past: Mapping[str, Speed], slower: float) -> float | None:
    """Where both know a key, the past (times `slower`) weighs as `PAST_WEIGHT` pieces of this run."""
    now, then = live.get(key), past.get(key)
    if now is not None and then is not None:
        weight = PAST_WEIGHT * now.units / now.count
        return (now.seconds + weight * then.per_unit * slower) / (now.units + weight)
    if then is not None:
        return then.per_unit * slower
    return now.per_unit if now is not None else None


def slowdown(measured: float, foretold: float) -> float:
    """How much slower this run is than the machine was: seconds measured over seconds foretold for the same work.

    Drawn towards 1 while little has been done.
    """
    return (measured + STEADY) / (foretold + STEADY)
