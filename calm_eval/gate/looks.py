"""Which look at a candidate this is, and what error rate it may spend.

A look is a number of seeds, 0 to that number less one, of the candidate as of the baseline: an unchanged system is
compared with itself, and whoever runs a look again gets the same samples and the same verdict.
"""

from __future__ import annotations

from dataclasses import dataclass

from calm_eval.errors import InputError
from calm_eval.gate.coverage import Side
from calm_eval.specs.policy import PolicySpec
from calm_eval.stats.spending import spent_at_looks


@dataclass(frozen=True)
class Look:
    """The number of a look from 1, of how many, with its seeds, its level, and the seeds of the next one."""

    number: int
    of: int
    seeds: int
    alpha: float
    next_seeds: int | None


def look_at(policy: PolicySpec, candidate: Side, baseline: Side) -> Look:
    """By the candidate's seeds. Raises InputError for a number that is no look, or more than the baseline has."""
    looks = policy.looks or [baseline.suite.seeds]
    if looks[-1] > baseline.suite.seeds:
        raise InputError(
            f"the policy looks at up to {looks[-1]} seeds and the baseline has {baseline.suite.seeds}; accept one with "
            f"--seeds {looks[-1]}"
        )
    seeds = min(candidate.suite.seeds, looks[-1])
    if seeds not in looks:
        raise InputError(
            f"the candidate has {seeds} seeds and the policy looks at {', '.join(map(str, looks))}: another number "
            "would be a look that was not planned"
        )
    place = looks.index(seeds)
    later = looks[place + 1] if place + 1 < len(looks) else None
    return Look(place + 1, len(looks), seeds, spent_at_looks(policy.alpha, looks)[place], later)
