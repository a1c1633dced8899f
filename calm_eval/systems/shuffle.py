"""Whose text, prompt or reference an item gets in its place: never its own, and as different a one as can be had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from calm_eval.data.item import Item

Part = Literal["text", "prompt", "reference"]

APART = ("piece", "instrument")
"""Kinds of tags (`instrument:flute`) in which partners differ where they can, as they do in the speaker."""


def partners(items: Sequence[Item], part: Part) -> dict[str, Item]:
    """For each item that has the part, by id, the item whose part it gets; each is given once.

    Partners never share the part itself: an item for which no other one is left is not in the answer. Over all items
    they differ in speaker, piece and instrument, as far as one rotation allows.
    """
    having = [item for item in items if value(item, part) is not None]
    return _kept(having, _rotated(having, part, ("speaker", *APART)), part)


def derange(items: Sequence[Item]) -> dict[str, Item]:
    """Give every item the text of another, by rotation inside each group of one speaker (so the voice stays right).

    Items that are alone with their speaker rotate among themselves; a last lonely one has no partner, nor has one
    for which only its own text is left. Within a group partners differ in piece and instrument where they can.
    """
    groups: dict[str | None, list[Item]] = {}
    for item in items:
        groups.setdefault(item.speaker, []).append(item)
    alone = [group[0] for group in groups.values() if len(group) == 1]
    rings = [ring for ring in (*groups.values(), alone) if len(ring) > 1]
    found: dict[str, Item] = {}
    for ring in rings:
        found |= _kept(ring, _rotated(ring, "text", APART), "text")
    return found


def value(item: Item, part: str) -> str | None:
    """What two items must not share: a text, the identity of an audio, the speaker, or what a kind of tag says."""
    if part in ("text", "speaker", "prompt", "reference"):
        return item.part(part)
    return next((tag for tag in item.tags if tag.startswith(f"{part}:")), None)


def _kept(items: Sequence[Item], others: Sequence[Item], part: Part) -> dict[str, Item]:
    pairs = zip(items, others, strict=True)
    return {
        item.id: other
        for item, other in pairs
        if other is not item and (value(item, part) is None or value(item, part) != value(other, part))
    }


def _rotated(items: Sequence[Item], part: Part, apart: Sequence[str]) -> list[Item]:
    """The partner of each item: a rotation of the items as they stand, or sorted by one of the properties.

    Sorted by a property, a rotation by the size of its largest group separates all groups where any pairing can. The
    first rotation wins that shares the part least often, then the other properties least often.
    """
    must = _codes(items, (part,))
    other = _codes(items, apart)
    orders = [np.arange(len(items)), *(np.argsort(column, kind="stable") for column in (*must, *other))]
    best: tuple[int, int] | None = None
    chosen = np.arange(len(items))
    for order in orders:
        for shift in range(1, len(items)):
            turned = np.roll(order, -shift)
            cost = (_shared(must, order, turned), _shared(other, order, turned))
            if best is None or cost < best:
                best = cost
                chosen = np.empty_like(order)
                chosen[order] = turned
            if best == (0, 0):
                return [items[int(place)] for place in chosen]
    return [items[int(place)] for place in chosen]


def _codes(items: Sequence[Item], parts: Sequence[str]) -> NDArray[np.int64]:
    """Numbers [parts, items] that are equal where values are; None equals nothing.

    Only what some pair can differ in is kept: a property that all items share decides nothing.
    """
    columns: list[list[int]] = []
    for part in parts:
        numbers: dict[str, int] = {}
        column = []
        for place, item in enumerate(items):
            said = value(item, part)
            column.append(-1 - place if said is None else numbers.setdefault(said, len(numbers)))
        if len(set(column)) > 1:
            columns.append(column)
    return np.array(columns, dtype=np.int64).reshape(len(columns), len(items))


def _shared(codes: NDArray[np.int64], one: NDArray[np.int64], two: NDArray[np.int64]) -> int:
    return int(np.count_nonzero(codes[:, one] == codes[:, two]))
