"""How often a gate passes and fails when the truth is known: worlds made of the values of a committed baseline.

A world draws items with replacement from a baseline's row; of each item one seed is the baseline's and another the
candidate's, so that the noise between runs is real. A loss is added to the candidate where the world has one: to a
mean, a share of the loss that differs from item to item (exponential with mean 1); to word errors, a Poisson number of
further errors. The suite has as many items as `gate plan` recommends for the margin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from bar import Bar
from kept import kept
from numpy.typing import NDArray

from calm_eval.gate.baseline import read_baseline
from calm_eval.gate.coverage import baseline_side
from calm_eval.gate.enough import Noise, items_for_power, noise_between_runs
from calm_eval.gate.ruling import Verdict, adjusted, family, rule
from calm_eval.runs.paired import paired_parts
from calm_eval.specs.policy import load_policy
from calm_eval.stats.loss import Loss, paired_loss

ALPHA, RESAMPLES, WORLDS = 0.05, 1999, 1000
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pool:
    """One metric's values [items, seeds] in a baseline, and the margin that is asked of it, in stored units."""

    title: str
    higher_is_better: bool
    counts: bool
    """Whether numerators are counts of errors."""
    margin: float
    top: Array
    bottom: Array

    @property
    def noise(self) -> Noise:
        """What a loss varies by between two runs."""
        found = noise_between_runs(self.top, self.bottom)
        if found is None:
            raise SystemExit(f"{self.title}: no values to make worlds of")
        return found

    def loss(self, generator: np.random.Generator, items: int, lost: float, seed: int) -> Loss:
        """The loss that a gate finds in a world of `items` where the candidate lost `lost`."""
        drawn = generator.integers(0, len(self.top), size=items)
        order = np.argsort(generator.random((items, self.top.shape[1])), axis=1)[:, :2]
        sides = [(self.top[drawn, order[:, side]].copy(), self.bottom[drawn, order[:, side]]) for side in (0, 1)]
        (old, below), (new, under) = sides
        if self.counts:
            new += generator.poisson(lost * under)
        else:
            new += (-1 if self.higher_is_better else 1) * lost * under * generator.exponential(size=items)
        found = paired_loss(
            (new, under),
            (old, below),
            higher_is_better=self.higher_is_better,
            alpha=ALPHA,
            seed=seed,
            resamples=RESAMPLES,
        )
        assert found is not None
        return found


@dataclass(frozen=True)
class Shares:
    """How many of `worlds` passed, failed, or were not decided."""

    passed: int
    failed: int
    worlds: int


def pools(folder: Path) -> list[Pool]:
    """What the policy of a baseline gates, with its margins. The baseline has at least two seeds."""
    baseline = read_baseline(folder)
    found = []
    for gate in load_policy(baseline.policy_path).gates:
        side = baseline_side(baseline.snapshot, gate, str(baseline.policy_path))
        spec, values = side.metric.spec, side.measured.parts()
        (top, bottom), _ = paired_parts(values, values, side.suite.seeds)
        whole = (bottom > 0).all(axis=1)
        found.append(
            Pool(
                f"{spec.title} of {gate.row}",
                spec.higher_is_better,
                spec.kind == "ratio",
                gate.margin / spec.scale,
                top[whole],
                bottom[whole],
            )
        )
    return found


def recommended(pool: Pool) -> int:
    """Items for one seed each, as `gate plan` says."""
    items = items_for_power(pool.noise, pool.margin, 1, alpha=ALPHA)
    if items is None:
        raise SystemExit(f"{pool.title}: no number of items holds this margin")
    return items


def one_metric(pool: Pool, items: int, lost: float, worlds: int, place: int) -> Shares:
    """Verdicts on one metric alone."""
    generator = np.random.default_rng([2029, place])
    told: list[Verdict] = []
    for world in range(worlds):
        loss = pool.loss(generator, items, lost, world)
        told.append(rule(loss, pool.margin, loss.p).verdict)
    return Shares(told.count("PASS"), told.count("FAIL"), worlds)


def whole_family(all_pools: Sequence[Pool], worlds: int) -> Shares:
    """Verdicts on all metrics together where nothing changed, each in a suite of its own size."""
    generator = np.random.default_rng(2030)
    told: list[Verdict] = []
    sizes = [recommended(pool) for pool in all_pools]
    for world in range(worlds):
        losses = [pool.loss(generator, size, 0.0, world) for pool, size in zip(all_pools, sizes, strict=True)]
        ps = adjusted(losses)
        told.append(
            family([rule(loss, pool.margin, p).verdict for loss, pool, p in zip(losses, all_pools, ps, strict=True)])
        )
    return Shares(told.count("PASS"), told.count("FAIL"), worlds)


def bars(all_pools: Sequence[Pool], work: Path | None = None, worlds: int = WORLDS) -> list[Bar]:
    """Nothing changed, a loss of the margin, twice the margin."""
    # Three standard errors of a share of 5 % in so many worlds.
    most = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / worlds)
    one = kept(work, f"gate-family-{worlds}", Shares, partial(whole_family, all_pools, worlds))
    found = [
        Bar(
            f"nothing changed, {len(all_pools)} metrics: FAIL",
            f"5 % + simulation error ({100 * most:.1f} %)",
            f"{100 * one.failed / worlds:.1f} % of {worlds} (PASS {100 * one.passed / worlds:.1f} %)",
            one.failed / worlds <= most,
        )
    ]
    for place, pool in enumerate(all_pools):
        items = recommended(pool)
        for times in (1, 2):
            name = f"gate-{place}-{times}-{items}-{worlds}"
            one = kept(
                work, name, Shares, partial(one_metric, pool, items, times * pool.margin, worlds, 2 * place + times)
            )
            share = one.passed if times == 1 else one.failed
            found.append(
                Bar(
                    f"{pool.title}, {items} items, {'the margin' if times == 1 else 'twice the margin'} lost: "
                    f"{'PASS' if times == 1 else 'FAIL'}",
                    f"5 % + simulation error ({100 * most:.1f} %)" if times == 1 else "at least 80 %",
                    f"{100 * share / worlds:.1f} % of {worlds}",
                    share / worlds <= most if times == 1 else share / worlds >= 0.8,
                )
            )
    return found
