"""Whether the models of a measurement fit this machine's memory, before the first of them is built."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from calm_eval.errors import InputError
from calm_eval.specs.presets import preset_cards
from calm_eval.systems.engine import Conditions

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


def check_memory(systems: Sequence[str], scale: float, conditions: Conditions) -> None:
    """Raises InputError when the weights of the named presets do not fit the memory that is free, and by what scale
    they would. Other systems, and machines that do not tell, are not checked; nor is a GPU's memory.
    """
    free = _free_memory()
    if free is None or conditions.device != "cpu":
        return
    cards = preset_cards()
    parameters = sum(cards[name].parameters for name in dict.fromkeys(systems) if name in cards)
    # Depth and width shrink alike: weights go with the third power.
    needed = parameters * _BYTES.get(conditions.dtype, 4) * scale**3
    if needed > 0.9 * free:
        fitting = scale * (0.9 * free / needed) ** (1 / 3)
        raise InputError(
            f"the models need about {needed / 1e9:.0f} GB, {free / 1e9:.0f} GB are free: give --scale "
            f"{int(20 * fitting) / 20:g} or smaller, or fewer systems"
        )


def _free_memory() -> float | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    told = [line.split() for line in lines if line.startswith("MemAvailable:")]
    return float(told[0][1]) * 1024 if told else None
