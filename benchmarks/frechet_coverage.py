"""How often does the 95 % interval of a Fréchet distance hold the truth, with clips of frames that are alike?

Draws many evaluations from worlds whose distance is known and counts. Writes the committed table:

    python benchmarks/frechet_coverage.py benchmarks/results/frechet_coverage.md
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
from calm_eval.metrics.frechet_floor import effective_frames, noise_floor
from calm_eval.metrics.frechet_gaussian import Gaussian, Moments, gaussian_of
from calm_eval.metrics.frechet_groups import GroupedClips, frechet_interval, group_clips
from calm_eval.stats.jackknife import deal

LOW, HIGH = 0.92, 0.98
RESAMPLES = 200
BOOTSTRAPPED = 0.04
"""The share of evaluations that are also bootstrapped: it takes ten times as long and is far off."""


@dataclass(frozen=True)
class Case:
    """A world at one size; with `reference_clips` the reference set is a sample too. `judged`: the bar asks for it."""

    world: World
    clips: int
    reference_clips: int | None = None
    judged: bool = True


@dataclass(frozen=True)
class Coverage:
    """What came of a case: shares of intervals that hold the truth, and means over evaluations."""

    held: float
    evaluations: int
    bootstrap_held: float
    plain: float
    corrected: float
    spread: float
    error: float
    floor: float


def cases() -> list[Case]:
    """Two embedders, several sizes, known and sampled references; equal distributions for the reader, not judged."""
    vggish, encodec = real_gaussian("vggish"), real_gaussian("encodec-emb")
    ten, uneven = same_length(10), lengths_between(2, 18)
    far = World("VGGish, far", other(vggish, 1.1, 0.3, 0.3), vggish, 0.5, ten)
    near = World("VGGish, near", other(vggish, 1.05, 0.25), vggish, 0.5, ten)
    ragged = World("VGGish, far, 2 to 18 frames", other(vggish, 1.1, 0.3, 0.3), vggish, 0.5, uneven)
    alike = World("VGGish, far, frames 0.8 alike", other(vggish, 1.1, 0.3, 0.3), vggish, 0.8, ten)
    codec = World("EnCodec, far", other(encodec, 1.1, 0.3, 0.3), encodec, 0.5, ten)
    same = World("VGGish, equal distributions", vggish, vggish, 0.5, ten)
    return [
        Case(far, 200), Case(far, 500), Case(far, 500, 500), Case(near, 500), Case(near, 1000, 1000),
        Case(ragged, 500), Case(alike, 500), Case(codec, 500), Case(same, 500, judged=False),
    ]  # fmt: skip


def results(evaluations: int, work: Path | None) -> list[tuple[Case, Coverage]]:
    """Every case with what came of it; a folder keeps each for a second call."""
    return [
        (case, kept(work, f"coverage-{place}-{evaluations}", Coverage, partial(measure, case, evaluations, place)))
        for place, case in enumerate(cases())
    ]


def measure(case: Case, evaluations: int, place: int) -> Coverage:
    """Run `evaluations` of a case; `place` numbers its random streams."""
    truth, reference = case.world.truth, case.world.reference
    held, bootstrap_held, bootstrapped = 0, 0, 0
    found = []
    for number in range(evaluations):
        generator = np.random.default_rng([2026, place, number])
        clips = case.world.clips(generator, case.clips)
        grouped = grouped_clips(clips)
        against: Gaussian | GroupedClips = reference
        other_frames = None
        if case.reference_clips is not None:
            against = grouped_clips(case.world.clips(generator, case.reference_clips, of_reference=True))
            other_frames = effective_frames(against)
        told = frechet_interval(grouped, against)
        own_frames = effective_frames(grouped)
        assert told is not None
        assert own_frames is not None
        held += told.low <= truth <= told.high
        floor = noise_floor(reference, own_frames, other_frames or float("inf"))
        found.append((told.value, told.corrected, told.error, floor))
        if number < BOOTSTRAPPED * evaluations and case.reference_clips is None:
            low, high = percentile_bootstrap(clips, reference, generator)
            bootstrapped += 1
            bootstrap_held += low <= truth <= high
    plain, corrected, error, floor = np.mean(found, axis=0).tolist()
    spread = float(np.std([row[1] for row in found], ddof=1))
    share = bootstrap_held / bootstrapped if bootstrapped else float("nan")
    return Coverage(held / evaluations, evaluations, share, plain, corrected, spread, error, floor)


def grouped_clips(clips: dict[str, Array]) -> GroupedClips:
    """Clips dealt to 20 groups."""
    return group_clips(clips.items(), deal(clips))


def percentile_bootstrap(
    clips: dict[str, Array], reference: Gaussian, generator: np.random.Generator
) -> tuple[float, float]:
    """The interval that many tools give: clips drawn again, 2.5 and 97.5 % of the distances."""
    frames = np.concatenate(list(clips.values()))
    owner = np.repeat(np.arange(len(clips)), [len(one) for one in clips.values()])
    pivot = gaussian_of(frames).mean
    frames = frames - pivot
    values = []
    for _ in range(RESAMPLES):
        times = np.bincount(generator.integers(0, len(clips), len(clips)), minlength=len(clips))[owner]
        total = int(times.sum())
        mean = times @ frames / total
        scatter = (frames * times[:, None]).T @ frames - total * np.outer(mean, mean)
        values.append(frechet_distance(Moments(total, pivot + mean, (scatter + scatter.T) / 2).gaussian(), reference))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def bars(work: Path | None = None, evaluations: int = 500) -> list[Bar]:
    """One bar for each judged case. The count must lie in 92 to 98 %, with no allowance for chance."""
    return [bar(case, one) for case, one in results(evaluations, work)]


def bar(case: Case, one: Coverage) -> Bar:
    """A case as a row of bars."""
    text = f"{100 * one.held:.1f} % of {one.evaluations}"
    name = f"95 % interval of FAD: {title(case)}"
    return Bar(name, "92 to 98 %" if case.judged else "none", text, LOW <= one.held <= HIGH if case.judged else None)


def title(case: Case) -> str:
    """The case in words."""
    against = "reference known" if case.reference_clips is None else f"reference of {case.reference_clips} clips"
    return f"{case.world.title}, {case.clips} clips, {against}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Coverage of the 95 % interval of a Fréchet distance.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--evaluations", type=int, default=500)
    parser.add_argument("--work", type=Path, help="a folder that keeps what was measured, for a second call")
    wanted = parser.parse_args()
    lines = []
    for case, one in results(wanted.evaluations, wanted.work):
        boot = "-" if np.isnan(one.bootstrap_held) else f"{100 * one.bootstrap_held:.0f}"
        lines.append(
            f"| {title(case)} | {case.world.truth:.3f} | {one.plain:.3f} | {one.corrected:.3f} | {one.spread:.3f} | "
            f"{one.error:.3f} | {one.floor:.3f} | {100 * one.held:.1f} | {boot} |"
        )
    noise = 100 * (0.95 * 0.05 / wanted.evaluations) ** 0.5
    text = [
        "# Coverage of the 95 % interval of a Fréchet distance",
        "",
        "Made by `benchmarks/frechet_coverage.py`. 128 dimensions, covariances of real music under VGGish and EnCodec "
        "(`fma_pop.npz` of fadtk 1.1.0), ten frames a clip unless said, frames of a clip 0.5 alike unless said. "
        f"{wanted.evaluations} evaluations a row; Monte Carlo standard error about {noise:.1f} points at 95. The "
        f"percentile bootstrap over clips ({RESAMPLES} resamples) has a twenty-fifth of the evaluations. Values, "
        "corrected values, errors and floors are means over evaluations; `spread` is the standard deviation of the "
        "corrected values, which `error` should match.",
        "",
        "| world | truth | FAD | corrected | spread | error | floor | jackknife held, % | bootstrap held, % |",
        "| :-- |" + " --: |" * 8,
        *lines,
        "",
        "Under equal distributions the distance is at the end of its range, where it has no slope: there the interval "
        "is wider than it need be.",
        "",
    ]
    wanted.output.parent.mkdir(parents=True, exist_ok=True)
    wanted.output.write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()
