"""The bars of the metrics: numerics and speed of the Fréchet distance, intervals in simulation, scoring at scale."""

from __future__ import annotations

import frechet_coverage
import frechet_infinity_worlds
import frechet_speed
import scoring
from bar import Bar


def bars() -> list[Bar]:
    """All of them, in the order of the time they take."""
    return [*frechet_speed.bars(), *scoring.bars(), *frechet_infinity_worlds.bars(), *frechet_coverage.bars()]
