"""FAD-infinity in worlds whose distance is known: how often is the truth within two of its standard errors?

Beside it the recipe that draws frames with replacement (fadtk 1.1.0, `fad.py`). Writes the committed table:

    python benchmarks/frechet_infinity_worlds.py benchmarks/results/frechet_infinity_worlds.md
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from bar import Bar
from frechet_worlds import Array, World, lengths_between, other, real_gaussian, same_length
from kept import kept

from calm_eval.metrics.frechet import frechet_distance
from calm_eval.metrics.frechet_gaussian import Gaussian, gaussian_of
from calm_eval.metrics.frechet_infinity import frechet_infinity, line

HELD = 0.90
POINTS = 15


@dataclass(frozen=True)
class Outcome:
    """Shares of worlds with the truth within two standard errors, and means over worlds of what was found."""

    worlds: int
    held: float
    replaced_held: float
    plain: float
    value: float
    replaced: float
    spread: float
    error: float
    r_squared: float


def cases() -> list[tuple[World, int]]:
    """Worlds and their number of clips: independent frames and alike ones, far, near and equal."""
    vggish, encodec = real_gaussian("vggish"), real_gaussian("encodec-emb")
    far, ten = other(vggish, 1.1, 0.3, 0.3), same_length(10)
    return [
        (World("VGGish, far, independent frames", far, vggish, 0.0, same_length(1)), 1500),
        (World("VGGish, far", far, vggish, 0.5, ten), 500),
        (World("VGGish, far, near the least size", far, vggish, 0.5, ten), 250),
        (World("VGGish, far, 2 to 18 frames", far, vggish, 0.5, lengths_between(2, 18)), 500),
        (World("VGGish, near", other(vggish, 1.05, 0.1), vggish, 0.5, ten), 500),
        (World("VGGish, equal distributions", vggish, vggish, 0.5, ten), 500),
        (World("EnCodec, far", other(encodec, 1.1, 0.3, 0.3), encodec, 0.5, ten), 500),
    ]


def results(worlds: int, work: Path | None) -> list[tuple[World, int, Outcome]]:
    """Every case with what came of it; a folder keeps each for a second call."""
    return [
        (world, count, kept(work, f"infinity-{place}-{worlds}", Outcome, partial(measure, world, count, worlds, place)))
        for place, (world, count) in enumerate(cases())
    ]


def measure(world: World, count: int, worlds: int, place: int) -> Outcome:
    """Draw `worlds` sets of clips and extrapolate each; `place` numbers the random streams."""
    truth = world.truth
    found = []
    held = replaced_held = 0
    for number in range(worlds):
        generator = np.random.default_rng([2027, place, number])
        clips = world.clips(generator, count)
        told = frechet_infinity(clips, world.reference, seed=number)
        if told.value is None or told.error is None or told.r_squared is None:
            raise RuntimeError(f"{world.title}: refused, {told.refused}")
        frames = np.concatenate(list(clips.values()))
        sizes = np.linspace(told.frames[0], len(frames), POINTS).astype(int)
        replaced = with_replacement(frames, sizes, world.reference, generator)
        held += abs(told.value - truth) <= 2 * told.error
        replaced_held += abs(replaced - truth) <= 2 * told.error
        found.append((told.distances[-1], told.value, replaced, told.error, told.r_squared))
    plain, value, mean_replaced, error, r_squared = np.mean(found, axis=0).tolist()
    spread = float(np.std([row[1] for row in found], ddof=1))
    return Outcome(worlds, held / worlds, replaced_held / worlds, plain, value, mean_replaced, spread, error, r_squared)


def with_replacement(
    frames: Array, sizes: np.ndarray[tuple[int], np.dtype[np.int_]], reference: Gaussian, generator: np.random.Generator
) -> float:
    """The intercept when each size is drawn from the frames with replacement, once."""
    distances = [
        frechet_distance(gaussian_of(frames[generator.integers(0, len(frames), int(size))]), reference)
        for size in sizes
    ]
    return line(1 / sizes, np.array(distances))[0]


def title(world: World, count: int) -> str:
    """The case in words."""
    return f"{world.title}, {count} clips"


def bars(work: Path | None = None, worlds: int = 200) -> list[Bar]:
    """One bar for each case."""
    found = []
    for world, count, one in results(worlds, work):
        text = f"{100 * one.held:.1f} % of {worlds} (with replacement {100 * one.replaced_held:.1f} %)"
        name = f"FAD-infinity within two standard errors: {title(world, count)}"
        found.append(Bar(name, "at least 90 %", text, one.held >= HELD))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="FAD-infinity in worlds whose distance is known.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--work", type=Path, help="a folder that keeps what was measured, for a second call")
    wanted = parser.parse_args()
    lines = []
    for world, count, one in results(wanted.worlds, wanted.work):
        lines.append(
            f"| {title(world, count)} | {world.truth:.3f} | {one.plain:.3f} | {one.value:.3f} | {one.spread:.3f} | "
            f"{one.error:.3f} | {one.r_squared:.3f} | {100 * one.held:.1f} | {one.replaced:.3f} | "
            f"{100 * one.replaced_held:.1f} |"
        )
    text = [
        "# FAD-infinity where the truth is known",
        "",
        "Made by `benchmarks/frechet_infinity_worlds.py`. 128 dimensions, covariances of real music under VGGish and "
        "EnCodec (`fma_pop.npz` of fadtk 1.1.0); ten frames a clip and 0.5 alike unless said. "
        f"{wanted.worlds} worlds a row; means over them. `spread` is the standard deviation of the values, which the "
        "standard `error` should match. `held`: share of worlds with the truth within two standard errors. The last "
        "two columns draw frames with replacement, and are held to the same standard error.",
        "",
        "| world | truth | FAD | FAD-infinity | spread | error | R^2 | held, % | with replacement | held, % |",
        "| :-- |" + " --: |" * 9,
        *lines,
        "",
    ]
    wanted.output.parent.mkdir(parents=True, exist_ok=True)
    wanted.output.write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()
