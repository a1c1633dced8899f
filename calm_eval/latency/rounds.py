"""In which order systems are measured: a machine that warms up or slows down must not favour one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def rounds(rows: Sequence[T], count: int) -> Iterator[tuple[int, T]]:
    """Each row once a round, forwards and backwards in turn (A B B A ...); gives round and row."""
    for number in range(count):
        for row in rows if number % 2 == 0 else reversed(rows):
            yield number, row
