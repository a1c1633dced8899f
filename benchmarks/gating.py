"""The bars of the gate: error rates in worlds made of the committed baseline, planted regressions, and speed."""

from __future__ import annotations

from pathlib import Path

import gate_planted
import gate_set_worlds
import gate_speed
import gate_worlds
from bar import Bar

BASELINE = Path(__file__).resolve().parent.parent / "reports" / "baseline"


def bars(work: Path | None = None) -> list[Bar]:
    """All of them; `work` keeps the simulations and the runs."""
    worlds = gate_worlds.bars(gate_worlds.pools(BASELINE), work)
    return [*worlds, *gate_set_worlds.bars(work), *gate_planted.bars(work), *gate_speed.bars()]
