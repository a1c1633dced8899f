"""Is anything else at work on this machine? Then times are not of the system alone, and threads wait for each other."""

from __future__ import annotations

import os

SHARE = 0.5
"""A load above this share of the cores is told."""


def busy_line(load: float, cores: int, threads: int) -> str | None:
    """What to say of a load average before a run begins; None where the machine is quiet enough.

    Threads of one operation meet at its end: where one of them has to wait for a core, all do, and small models lose
    a factor and not a share.
    """
    if load <= SHARE * cores:
        return None
    fewer = f"; with {threads} threads it may take many times longer than with --threads 1" if threads > 1 else ""
    return f"other work on this machine (load {load:.1f} on {cores} cores): times are not of the systems alone{fewer}"


def load_average() -> float | None:
    """Processes that wanted a core in the last minute; None where the platform does not tell."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None
