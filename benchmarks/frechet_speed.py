"""How long does a Fréchet distance take, beside scipy's matrix square root?

python benchmarks/frechet_speed.py [--threads 2] [--repeats 3] [--output FILE]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from bar import Bar
from numpy.typing import NDArray

from calm_eval.metrics.frechet import frechet_distance, frechet_distance_checked
from calm_eval.metrics.frechet_gaussian import Gaussian, gaussian_of

Array = NDArray[np.float64]

DIMENSIONS = (128, 512, 2048)
FRAMES = 10_000
STATISTICS_SECONDS, RAW_SECONDS = 3.0, 8.0
THREADS = "OMP_NUM_THREADS"


def embeddings(dimensions: int, seed: int, decay: float, count: int = FRAMES) -> NDArray[np.float32]:
    """Frames [count, d] whose variances fall as a power of their number: `decay` 2 is steep, as in real embedders."""
    generator = np.random.default_rng(seed)
    scales = np.arange(1, dimensions + 1) ** (-decay / 2)
    mix = np.linalg.qr(generator.standard_normal((dimensions, dimensions)))[0]
    return np.asarray((generator.standard_normal((count, dimensions)) * scales) @ mix, dtype=np.float32)


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The least wall time of some calls."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def root_distance(one: Gaussian, two: Gaussian) -> float:
    """What most tools do: scipy's square root of the product of both covariances."""
    from scipy import linalg  # type: ignore[import-untyped]

    root = np.asarray(linalg.sqrtm(one.covariance @ two.covariance))
    away = one.mean - two.mean
    return float(away @ away + np.trace(one.covariance) + np.trace(two.covariance) - 2 * np.trace(root).real)


def bars(repeats: int = 3) -> list[Bar]:
    """Speed from statistics at three sizes, two spectra and rank-deficient, and from embeddings with the cross-check.

    The threads are those of `OMP_NUM_THREADS` as the process started.
    """
    found = []
    for dimensions in DIMENSIONS:
        for label, decay, count in (("", 1.0, FRAMES), (", steep", 2.0, FRAMES), (", low rank", 1.0, dimensions // 2)):
            one, two = (gaussian_of(embeddings(dimensions, seed, decay, count)) for seed in (1, 2))
            found += statistics_bars(f"{dimensions} dimensions{label}", one, two, repeats, low_rank=count < dimensions)
    for label, decay in (("", 1.0), (", steep", 2.0)):
        x, y = (embeddings(DIMENSIONS[-1], seed, decay) for seed in (1, 2))
        spent = seconds(lambda x=x, y=y: frechet_distance_checked(x, y), repeats)  # type: ignore[misc]
        name = f"Fréchet, {FRAMES} embeddings of {DIMENSIONS[-1]} dimensions{label}, cross-checked, {threads()}"
        found.append(Bar(name, f"under {RAW_SECONDS:g} s", f"{spent:.2f} s", spent < RAW_SECONDS))
    return found


def statistics_bars(name: str, one: Gaussian, two: Gaussian, repeats: int, *, low_rank: bool) -> list[Bar]:
    """From statistics: beside scipy, and at 2048 dimensions under a limit of seconds."""
    ours = seconds(lambda: frechet_distance(one, two), repeats)
    found = []
    if one.dimensions == DIMENSIONS[-1]:
        told = f"{ours:.2f} s"
        limit = f"under {STATISTICS_SECONDS:g} s"
        found.append(Bar(f"Fréchet from statistics, {name}, {threads()}", limit, told, ours < STATISTICS_SECONDS))
    if not low_rank:
        theirs = seconds(lambda: root_distance(one, two), 1 if one.dimensions > 1000 else repeats)
        text = f"{1000 * ours:.1f} ms and {1000 * theirs:.1f} ms"
        title = f"Fréchet from statistics beside scipy's sqrtm, {name}, {threads()}"
        found.append(Bar(title, "less time", text, ours < theirs))
    return found


def threads() -> str:
    """How many threads the products may use, in words."""
    return f"{os.environ.get(THREADS, 'all')} threads"


def main() -> int:
    parser = argparse.ArgumentParser(description="Speed of a Fréchet distance.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path)
    wanted = parser.parse_args()
    if os.environ.get(THREADS) != str(wanted.threads):
        # The linear algebra reads it once, when it is loaded.
        return subprocess.run([sys.executable, *sys.argv], env={**os.environ, THREADS: str(wanted.threads)}).returncode
    found = bars(wanted.repeats)
    words = {True: "PASS", False: "FAIL", None: "-"}
    rows = [f"| {bar.name} | {bar.limit} | {bar.measured} | {words[bar.passed]} |" for bar in found]
    text = "\n".join(
        ["# Speed of a Fréchet distance", "", "| bar | limit | measured | |", "| :-- | :-- | :-- | :-- |", *rows, ""]
    )
    print(text)
    if wanted.output is not None:
        wanted.output.parent.mkdir(parents=True, exist_ok=True)
        wanted.output.write_text(text, encoding="utf-8")
    return 1 if any(bar.passed is False for bar in found) else 0


if __name__ == "__main__":
    sys.exit(main())
