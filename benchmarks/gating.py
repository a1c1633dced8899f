"""The bars of the gate that need no model: error rates in worlds made of the committed baseline, and speed."""

from __future__ import annotations

from pathlib import Path

import gate_speed
import gate_worlds
from bar import Bar

BASELINE = Path(__file__).resolve().parent.parent / "reports" / "baseline"


def bars(work: Path | None = None) -> list[Bar]:
    """All of them; `work` keeps the simulations."""
    return [*gate_worlds.bars(gate_worlds.pools(BASELINE), work), *gate_speed.bars()]
