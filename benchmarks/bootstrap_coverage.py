"""How often do 95 % intervals hold the truth, for error rates where most items are perfect?

Draws many evaluations of n items from worlds whose true value is known and counts. Writes the committed table:

    python benchmarks/bootstrap_coverage.py benchmarks/results/bootstrap_coverage.md
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]

from calm_eval.stats.bootstrap import ratio_interval

Values = NDArray[np.float64]
Pairs = tuple[Values, Values]
Interval = tuple[float, float]

SIZES = (20, 40, 64, 200)
RESAMPLES = 1000
TRUTH_ITEMS = 4_000_000


def _lengths(generator: np.random.Generator, count: int) -> Values:
    return np.clip(np.round(generator.lognormal(np.log(11), 0.45, count)), 3, 40)


def mostly_perfect(generator: np.random.Generator, count: int) -> Pairs:
    """80 % without an error, 15 % with one or two, 4 % with a fifth or more of the words wrong, 1 % that loop."""
    words, luck = _lengths(generator, count), generator.random(count)
    few = generator.integers(1, 3, count)
    many = np.ceil(words * generator.uniform(0.2, 0.6, count))
    loop = np.ceil(words * generator.uniform(0.6, 2.0, count))
    return np.select([luck < 0.80, luck < 0.95, luck < 0.99], [np.zeros(count), few, many], loop), words


def mean_of_items(generator: np.random.Generator, count: int) -> Pairs:
    """The same world, each item's error rate by itself."""
    errors, words = mostly_perfect(generator, count)
    return errors / words, np.ones(count)


def spread_errors(generator: np.random.Generator, count: int) -> Pairs:
    """A system with errors in most items, some much harder than others."""
    words, luck = _lengths(generator, count), generator.random(count)
    hard = np.where(luck < 0.9, generator.beta(2, 12, count), generator.beta(2, 3, count))
    return generator.binomial(words.astype(np.int64), np.where(luck < 0.4, 0.02, hard)).astype(np.float64), words


def rare_loops(generator: np.random.Generator, count: int) -> Pairs:
    """97 % with at most one error, 3 % that loop to up to three times the text: what no sample of 20 shows."""
    words, luck = _lengths(generator, count), generator.random(count)
    loop = np.ceil(words * generator.uniform(0.5, 3.0, count))
    return np.select([luck < 0.90, luck < 0.97], [np.zeros(count), np.ones(count)], loop), words


def similarity(generator: np.random.Generator, count: int) -> Pairs:
    """A mean of cosines, slightly skewed."""
    return generator.beta(12, 4, count), np.ones(count)


@dataclass(frozen=True)
class World:
    """A kind of items."""

    title: str
    draw: Callable[[np.random.Generator, int], Pairs]


WORLDS = (
    World("corpus WER, 80 % of items perfect", mostly_perfect),
    World("mean of item WER, same items", mean_of_items),
    World("corpus WER, errors in most items", spread_errors),
    World("corpus WER, rare loops", rare_loops),
    World("mean similarity", similarity),
)


def _ratio(top: Values, bottom: Values, axis: int = -1) -> Values:
    return np.asarray(top.sum(axis=axis) / bottom.sum(axis=axis))


def _error(top: Values, bottom: Values) -> Values:
    """Delta-method standard error of the ratio along the last axis."""
    left = top - _ratio(top, bottom)[..., None] * bottom
    return np.asarray(left.std(axis=-1, ddof=1) / np.sqrt(top.shape[-1]) / bottom.mean(axis=-1))


def intervals(top: Values, bottom: Values, seed: int) -> dict[str, Interval]:
    """Every method on one evaluation."""
    count = len(top)
    value, error = float(_ratio(top, bottom)), float(_error(top, bottom))
    ours = ratio_interval(top, bottom, seed=seed, resamples=RESAMPLES)
    assert ours is not None
    drawn = np.random.default_rng(seed).integers(0, count, size=(RESAMPLES, count))
    tops, bottoms = top[drawn], bottom[drawn]
    values, errors = _ratio(tops, bottoms), _error(tops, bottoms)
    low, high = np.quantile(values, [0.025, 0.975])
    found = {"percentile": (float(low), float(high)), "BCa, widened (ours)": ours}
    if error == 0:
        return dict.fromkeys(("percentile", "BCa (scipy)", "BCa, widened (ours)", "log delta-t", "bootstrap-t"), ours)
    plain = stats.bootstrap(
        (top, bottom), _ratio, paired=True, vectorized=True, n_resamples=RESAMPLES, method="BCa", rng=seed
    ).confidence_interval
    found["BCa (scipy)"] = (float(plain.low), float(plain.high))
    t = float(stats.t.ppf(0.975, count - 1))
    found["log delta-t"] = (value * np.exp(-t * error / value), value * np.exp(t * error / value))
    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.where(errors > 0, (values - value) / errors, np.where(values < value, -np.inf, np.inf))
    least, most = np.quantile(away, [0.025, 0.975], method="nearest")
    found["bootstrap-t"] = (value - float(most) * error, value - float(least) * error)
    return found


METHODS = ("percentile", "BCa (scipy)", "BCa, widened (ours)", "log delta-t", "bootstrap-t")


def rows(evaluations: int) -> list[str]:
    """The table's lines: coverage in percent, and the median width relative to the percentile interval."""
    lines = []
    for place, world in enumerate(WORLDS):
        generator = np.random.default_rng([2026, place])
        truth = float(_ratio(*world.draw(generator, TRUTH_ITEMS)))
        for size in SIZES:
            repeats = evaluations if size < 200 else evaluations // 2
            held = dict.fromkeys(METHODS, 0)
            widths: dict[str, list[float]] = {name: [] for name in METHODS}
            for number in range(repeats):
                top, bottom = world.draw(generator, size)
                for name, (low, high) in intervals(top, bottom, number).items():
                    held[name] += low <= truth <= high
                    widths[name].append(high - low)
            usual = float(np.median(widths["percentile"]))
            cells = [f"{100 * held[n] / repeats:.1f} ({np.median(widths[n]) / usual:.2f})" for n in METHODS]
            lines.append(f"| {world.title}, {truth:.3f} | {size} | " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description="Coverage of 95 % intervals in simulated evaluations.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--evaluations", type=int, default=1000)
    wanted = parser.parse_args()
    noise = 100 * (0.95 * 0.05 / wanted.evaluations) ** 0.5
    text = [
        "# Coverage of 95 % intervals",
        "",
        "Made by `benchmarks/bootstrap_coverage.py`. Percentage of simulated evaluations whose interval holds the true "
        f"value; in brackets the median width over that of the percentile interval. {wanted.evaluations} evaluations a "
        f"row (half at n = 200), {RESAMPLES} resamples each; Monte Carlo standard error about {noise:.1f} points at 95 "
        "(1.3 at 80). `inf`: more than half of the intervals have no end.",
        "",
        "| world, true value | n | " + " | ".join(METHODS) + " |",
        "| :-- | --: |" + " --: |" * len(METHODS),
        *rows(wanted.evaluations),
        "",
        "No method knows of failures that the items did not show: with rare loops every interval is too short at small "
        "n. The bootstrap-t comes nearest to 95 % and pays with intervals several times as wide, or without end. The "
        "log interval is a little nearer than BCa on error rates and does not exist for values that may be negative.",
        "",
    ]
    wanted.output.parent.mkdir(parents=True, exist_ok=True)
    wanted.output.write_text("\n".join(text))


if __name__ == "__main__":
    main()
