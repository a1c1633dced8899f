"""How fast this machine reads memory: the least time that a step can take when all its weights are read once."""

from __future__ import annotations

import time

import numpy as np

SIZE = 256 * 2**20
"""Bytes that are read: more than any cache holds."""


def read_bandwidth(threads: int, repeats: int = 5) -> float:
    """Bytes a second that so many threads of this CPU read from memory: the best of `repeats` sums over `SIZE` bytes.

    Weights are read like this, one after another. It is a measurement of the moment, no data sheet.
    """
    from concurrent.futures import ThreadPoolExecutor

    block = np.ones(SIZE // 8, dtype=np.int64)
    parts = np.array_split(block, threads)
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(repeats):
            began = time.perf_counter()
            list(pool.map(np.sum, parts))
            best = max(best, SIZE / (time.perf_counter() - began))
    return best
