"""How often a gate on FAD passes and fails when the truth is known: worlds made of real embeddings of 16 dimensions.

`python benchmarks/gate_set_worlds.py RUN` writes the embeddings of mini-calm-music and of its reference set in a full
run of the mini suites, turned to the first 16 principal axes of the reference set, to `results/gate_embeddings.npz`.

A world draws items with replacement; of each item one seed is the baseline's and another the candidate's. Where the
world has a loss, every embedding of the candidate is moved by one vector away from the mean of the reference set: with
the covariance as it was, FAD grows by the squared length of the way that the mean goes, which is known.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from bar import Bar
from gate_worlds import ALPHA, Shares
from kept import kept
from numpy.typing import NDArray

from calm_eval.gate.embedded import clips_of, embedded_in
from calm_eval.gate.enough import Noise, smallest_margin
from calm_eval.gate.ruling import Verdict, rule
from calm_eval.gate.snapshot import snapshot_of
from calm_eval.metrics.frechet_choice import FrechetChoice
from calm_eval.runs.run import load_run
from calm_eval.stats.label_swap import set_loss
from calm_eval.stats.loss import Loss

FILE = Path(__file__).resolve().parent / "results" / "gate_embeddings.npz"
SUITE, ROW, METRIC = "mini/music_continuation", "mini-calm-music", "fad"
DIMENSIONS, ITEMS, WORLDS = 16, 100, 400
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pool:
    """Embeddings [items, seeds, frames, d] of one row, and those of the reference set [clips, d]."""

    clips: Array
    references: Array

    @property
    def way(self) -> Array:
        """From the mean of the reference set to that of the row [d]."""
        found: Array = self.clips.mean(axis=(0, 1, 2)) - self.references.mean(axis=0)
        return found

    def moved(self, lost: float) -> Array:
        """The vector [d] that raises FAD by `lost`: along `way`, which gets so much longer."""
        length = float(np.linalg.norm(self.way))
        return self.way * (math.sqrt(1 + lost / length**2) - 1)

    def loss(self, generator: np.random.Generator, lost: float, seed: int) -> Loss:
        """The loss that a gate finds in a world of `ITEMS` where the candidate lost `lost`."""
        drawn = generator.integers(0, len(self.clips), size=ITEMS)
        order = np.argsort(generator.random((ITEMS, self.clips.shape[1])), axis=1)
        names = [f"{place:03d}" for place in range(ITEMS)]
        old, new = (self.clips[drawn, order[:, side]] for side in (0, 1))
        choice = FrechetChoice(
            dict(zip(names, old.astype(np.float32), strict=True)),
            dict(zip(names, (new + self.moved(lost)).astype(np.float32), strict=True)),
            {f"{place:04d}": clip[None].astype(np.float32) for place, clip in enumerate(self.references)},
        )
        found = set_loss(choice, choice.items, higher_is_better=False, alpha=ALPHA, seed=seed)
        if found is None:
            raise SystemExit("FAD has no value in a world")
        return found


def pool() -> Pool:
    """The committed one."""
    with np.load(FILE, allow_pickle=False) as held:
        return Pool(held["clips"].astype(np.float64), held["references"].astype(np.float64))


def margin_of(one: Pool) -> float:
    """What a suite of `ITEMS` holds with a power of 80 %, by the jackknife error of 100 worlds without a loss."""
    generator = np.random.default_rng(2031)
    errors = [one.loss(generator, 0.0, world).error or math.nan for world in range(100)]
    spread = float(np.median(errors)) * math.sqrt(ITEMS)
    return smallest_margin(Noise(0.0, spread), ITEMS, 1, alpha=ALPHA)


def shares(one: Pool, margin: float, times: int, worlds: int) -> Shares:
    """Verdicts where `times` the margin is lost."""
    generator = np.random.default_rng([2032, times])
    told: list[Verdict] = []
    for world in range(worlds):
        loss = one.loss(generator, times * margin, world)
        told.append(rule(loss, margin, loss.p).verdict)
    return Shares(told.count("PASS"), told.count("FAIL"), worlds)


def bars(work: Path | None = None, worlds: int = WORLDS) -> list[Bar]:
    """Nothing changed, a loss of the margin, twice the margin."""
    one = pool()
    margin = margin_of(one)
    most = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / worlds)
    found = []
    for times, what in enumerate(("nothing changed: FAIL", "the margin lost: PASS", "twice the margin lost: FAIL")):
        made = kept(work, f"gate-fad-{times}-{worlds}", Shares, partial(shares, one, margin, times, worlds))
        share = (made.passed if times == 1 else made.failed) / worlds
        fine = share >= 0.8 if times == 2 else share <= most
        found.append(
            Bar(
                f"FAD of {ROW}, {DIMENSIONS} dimensions, {ITEMS} items, margin {margin:.2g}, {what}",
                "at least 80 %" if times == 2 else f"5 % + simulation error ({100 * most:.1f} %)",
                f"{100 * share:.1f} % of {worlds}",
                fine,
            )
        )
    return found


def main() -> int:
    """Returns 0, or 2 on a wrong call."""
    if len(sys.argv) != 2:
        print("usage: python benchmarks/gate_set_worlds.py RUN", file=sys.stderr)
        return 2
    run = load_run(sys.argv[1])
    suite = snapshot_of(run, {(SUITE, ROW)}).suites[SUITE]
    judge = next(bound.judge_fingerprint for bound in suite.metrics if bound.spec.name == METRIC)
    if judge is None:
        raise SystemExit(f"{METRIC} has no judge in {run.folder}")
    with embedded_in(run) as source:
        by_item = clips_of(suite.rows[ROW], source, judge, suite.seeds)
        references = np.concatenate(list(source.references(SUITE, judge).values())).astype(np.float64)
    clips = np.stack(list(by_item.values())).astype(np.float64)
    mean = references.mean(axis=0)
    axes = np.linalg.svd(references - mean, full_matrices=False)[2][:DIMENSIONS].T
    np.savez_compressed(
        FILE,
        clips=((clips - mean) @ axes).reshape(len(clips), suite.seeds, -1, DIMENSIONS).astype(np.float32),
        references=((references - mean) @ axes).astype(np.float32),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
