"""Do the 95 % intervals of a corpus WER and of a mean hold the truth as often as they say?

The worlds of `bootstrap_coverage.py`, which has the other methods beside ours. The bar is held where errors are spread
over the items; where most items are perfect the errors that decide are rare, and the share is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from bar import Bar
from bootstrap_coverage import RESAMPLES, TRUTH_ITEMS, WORLDS, World
from kept import kept

from calm_eval.stats.bootstrap import ratio_interval

LOW, HIGH = 0.92, 0.98
SIZES = (64, 200)
JUDGED = ("corpus WER, errors in most items", "mean similarity")


@dataclass(frozen=True)
class Held:
    """In which share of `evaluations` the interval held the truth."""

    share: float
    evaluations: int


def measure(world: World, size: int, evaluations: int, place: int) -> Held:
    """Draw `evaluations` of `size` items; `place` numbers the random stream."""
    generator = np.random.default_rng([2028, place])
    top, bottom = world.draw(generator, TRUTH_ITEMS)
    truth = float(top.sum() / bottom.sum())
    held = 0
    for number in range(evaluations):
        interval = ratio_interval(*world.draw(generator, size), seed=number, resamples=RESAMPLES)
        held += interval is not None and bool(interval[0] <= truth <= interval[1])
    return Held(held / evaluations, evaluations)


def bars(work: Path | None = None, evaluations: int = 1000) -> list[Bar]:
    """One bar for each world and size; what is not judged is shown."""
    found = []
    for place, (world, size) in enumerate((world, size) for world in WORLDS for size in SIZES):
        name = f"interval-{place}-{evaluations}"
        one = kept(work, name, Held, partial(measure, world, size, evaluations, place))
        judged = world.title in JUDGED
        found.append(
            Bar(
                f"95 % interval of a {world.title}, {size} items",
                "92 to 98 %" if judged else "none",
                f"{100 * one.share:.1f} % of {one.evaluations}",
                LOW <= one.share <= HIGH if judged else None,
            )
        )
    return found
