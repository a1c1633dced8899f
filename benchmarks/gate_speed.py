"""How long a gate takes on 2,000 items, without scoring: six metrics with values item by item, and one of a set."""

from __future__ import annotations

import time

import numpy as np
from bar import Bar

from calm_eval.metrics.frechet_choice import FrechetChoice
from calm_eval.metrics.kernel_choice import KernelChoice
from calm_eval.stats.label_swap import RESAMPLES as SWAPS
from calm_eval.stats.label_swap import set_loss
from calm_eval.stats.loss import paired_loss

ITEMS, DIMENSIONS, METRICS = 2000, 32, 6
PAIRED_LIMIT, SET_LIMIT = 20.0, 60.0


def bars() -> list[Bar]:
    """Both, on values made here: the time does not depend on them."""
    generator = np.random.default_rng(9)
    bottom = generator.integers(5, 15, size=ITEMS).astype(float)
    rows = [(generator.poisson(1.0, ITEMS).astype(float), bottom) for _ in range(2)]
    began = time.perf_counter()
    for number in range(METRICS):
        paired_loss(*rows, higher_is_better=False, alpha=0.05, seed=number)
    took = time.perf_counter() - began
    found = [
        Bar(
            f"{METRICS} metrics, {ITEMS} items, 10,000 resamples",
            f"{PAIRED_LIMIT:g} s",
            f"{took:.1f} s",
            took < PAIRED_LIMIT,
        )
    ]
    names = [f"item-{number}" for number in range(ITEMS)]
    first, second = (
        {name: generator.normal(size=(3, DIMENSIONS)).astype(np.float32) for name in names} for _ in range(2)
    )
    references = {f"clip-{number}": generator.normal(size=(3, DIMENSIONS)).astype(np.float32) for number in range(400)}
    for title, kind in (("FAD", FrechetChoice), ("KAD", KernelChoice)):
        began = time.perf_counter()
        choice = kind(first, second, references)
        set_loss(choice, choice.items, higher_is_better=False, alpha=0.05, seed=1)
        took = time.perf_counter() - began
        name = f"{title} of {ITEMS} items, {3 * ITEMS} frames of {DIMENSIONS} dimensions, {SWAPS} label swaps"
        found.append(Bar(name, f"{SET_LIMIT:g} s", f"{took:.1f} s", took < SET_LIMIT))
    return found
