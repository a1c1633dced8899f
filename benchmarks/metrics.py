"""The bars of the metrics: numerics and speed of the Fréchet distance, intervals in simulation, scoring at scale."""

from __future__ import annotations

from pathlib import Path

import frechet_accuracy
import frechet_coverage
import frechet_infinity_worlds
import frechet_speed
import interval_coverage
import scoring
from bar import Bar


def bars(work: Path | None = None) -> list[Bar]:
    """All of them, in the order of the time they take; `work` keeps the simulations."""
    return [
        *frechet_accuracy.bars(),
        *frechet_speed.bars(),
        *scoring.bars(),
        *interval_coverage.bars(work),
        *frechet_infinity_worlds.bars(work),
        *frechet_coverage.bars(work),
    ]
