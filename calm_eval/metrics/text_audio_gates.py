"""Two checks that a text-audio model must pass before its scores mean anything.

A collapsed text tower gives every caption nearly one vector (LAION-AI/CLAP issue 172), and a model that does not hear
what the text says scores a wrong caption as high as the right one. Neither fails by itself: a number comes out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from calm_eval.metrics.seed_spread import mean_cosine

LEAST = 8
"""Fewer different texts cannot be checked: chance alone reaches either limit too easily."""

COLLAPSED = 0.9
LEVEL = 0.05
PERMUTATIONS = 9999

Verdict = Literal["valid", "invalid", "not checkable"]


@dataclass(frozen=True)
class Gate:
    """What was measured, against which limit, on how many texts, and what follows.

    `text_cosine`: `measured` is the mean cosine between different texts, valid below `limit`. `matched_above_permuted`:
    `measured` is the mean score of matched pairs minus that of all other pairs, and it is valid when it is above 0 and
    `p_value` is at most `limit`. `not checkable` has no numbers; `told` says why.
    """

    name: str
    verdict: Verdict
    n: int
    limit: float
    measured: float | None = None
    p_value: float | None = None
    told: str = ""


def text_cosine_gate(texts: Sequence[str], vectors: ArrayLike, *, limit: float = COLLAPSED) -> Gate:
    """Valid when the mean cosine between the vectors [n, dim] of different texts is below `limit`.

    A text that occurs twice counts once. Raises ValueError when counts differ or a vector has no direction.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    if rows.ndim != 2 or len(rows) != len(texts):
        raise ValueError(f"one vector for each of {len(texts)} texts, got {rows.shape}")
    first: dict[str, int] = {}
    for number, text in enumerate(texts):
        first.setdefault(text, number)
    count = len(first)
    if count < LEAST:
        return Gate("text_cosine", "not checkable", count, limit, told=_few(count))
    measured = mean_cosine(rows[list(first.values())])
    told = f"mean cosine {measured:.3f} between {count} texts, limit {limit:g}"
    return Gate("text_cosine", "valid" if measured < limit else "invalid", count, limit, measured, told=told)


def matched_gate(
    texts: Sequence[str], scores: ArrayLike, *, level: float = LEVEL, permutations: int = PERMUTATIONS, seed: int = 0
) -> Gate:
    """Valid when matched pairs score above captions that were dealt out anew, by a one-sided permutation test.

    `scores` [n, n]: row i is the text `texts[i]`, column j the audio of text j, matched pairs on the diagonal. The test
    statistic is the mean score; p = (1 + permutations that reach the true one) / (1 + permutations), Phipson and Smyth
    2010. Equal captions may stand in for one another, which costs power and never validity. Raises ValueError on
    another shape, NaN or infinity.
    """
    table = np.asarray(scores, dtype=np.float64)
    if table.shape != (len(texts), len(texts)) or not np.isfinite(table).all():
        raise ValueError(f"finite scores [{len(texts)}, {len(texts)}], texts by audios, got {table.shape}")
    name, count, different = "matched_above_permuted", len(texts), len(set(texts))
    if different < LEAST:
        return Gate(name, "not checkable", different, level, told=_few(different))
    matched = float(np.trace(table))
    others = (float(table.sum()) - matched) / (count * (count - 1))
    generator = np.random.default_rng(seed)
    columns = np.arange(count)
    tie = 1e-12 * float(np.abs(table).max()) * count  # sums in another order differ by rounding
    reached = 0
    for _ in range(permutations):
        reached += float(table[generator.permutation(count), columns].sum()) >= matched - tie
    p_value = (1 + reached) / (1 + permutations)
    measured = matched / count - others
    told = f"matched above others by {measured:.4g}, p = {p_value:.2g}, {count} pairs"
    verdict: Verdict = "valid" if measured > 0 and p_value <= level else "invalid"
    return Gate(name, verdict, count, level, measured, p_value, told)


def gate_sample(ids: Iterable[str], most: int = 500) -> list[str]:
    """At most `most` ids, chosen by their sha256 and nothing else: the scores of a gate grow with their square."""
    return sorted(ids, key=lambda name: hashlib.sha256(name.encode()).digest())[:most]


def _few(count: int) -> str:
    return f"{count} different texts, at least {LEAST} are needed"
