"""FAD-infinity where the truth is known, and where it must refuse."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from calm_eval.metrics.frechet import frechet_distance
from calm_eval.metrics.frechet_gaussian import Gaussian, gaussian_of
from calm_eval.metrics.frechet_infinity import frechet_infinity, line

Array = NDArray[np.float64]

TRUTH = Gaussian(10**6, np.zeros(8), np.diag(np.geomspace(1, 0.05, 8)))


def clips_of(count: int, frames: int, rho: float, seed: int, scale: float = 1.0) -> dict[str, Array]:
    generator = np.random.default_rng(seed)
    spread = scale * np.sqrt(np.diag(TRUTH.covariance))
    return {
        f"clip {number}": spread
        * (rho**0.5 * generator.standard_normal(8) + (1 - rho) ** 0.5 * generator.standard_normal((frames, 8)))
        for number in range(count)
    }


def test_a_line_by_hand() -> None:
    assert line(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 5.0])) == pytest.approx((-1.0, 1.0))
    # 0, 0, 3 over 1, 2, 3: slope 1.5, intercept -2, squares left 1.5 of 6.
    assert line(np.array([1.0, 2.0, 3.0]), np.array([0.0, 0.0, 3.0])) == pytest.approx((-2.0, 0.75))
    assert line(np.array([1.0, 2.0]), np.array([4.0, 4.0])) == (4.0, 1.0)


def test_the_bias_goes_and_with_replacement_it_stays() -> None:
    ours, plain, theirs, held = [], [], [], 0
    truth = frechet_distance(Gaussian(9, np.zeros(8), 1.1**2 * TRUTH.covariance), TRUTH)
    for seed in range(16):
        clips = clips_of(60, 5, 0.4, seed, 1.1)
        told = frechet_infinity(clips, TRUTH, seed=1, repeats=3)
        assert told.value is not None
        assert told.error is not None
        ours.append(told.value - truth)
        held += abs(told.value - truth) <= 2 * told.error
        frames = np.concatenate(list(clips.values()))
        plain.append(frechet_distance(gaussian_of(frames), TRUTH) - truth)
        generator = np.random.default_rng(seed)
        sizes = np.linspace(60, 300, 15).astype(int)
        again = [
            frechet_distance(gaussian_of(frames[generator.integers(0, 300, size)]), TRUTH)
            for size in sizes
            for _ in range(2)
        ]
        theirs.append(line(1 / np.repeat(sizes, 2), np.array(again))[0] - truth)
    assert np.mean(plain) > 5 * abs(np.mean(ours))
    assert np.mean(theirs) > 0.7 * np.mean(plain)
    assert held >= 13


def test_points_and_seed() -> None:
    clips = clips_of(100, 4, 0.0, 3)
    told = frechet_infinity(clips, TRUTH, seed=5)
    assert len(told.frames) == len(told.distances) == 15
    assert told.frames[0] == pytest.approx(max(0.2 * 400, 40), abs=4 + 4)
    assert told.frames[-1] == pytest.approx(400)
    assert told.distances[-1] == pytest.approx(
        frechet_distance(gaussian_of(np.concatenate(list(clips.values()))), TRUTH), rel=1e-9
    )
    assert told.r_squared is not None
    assert 0.9 < told.r_squared <= 1
    assert frechet_infinity(dict(reversed(clips.items())), TRUTH, seed=5) == told
    assert frechet_infinity(clips, TRUTH, seed=6) != told


def test_scale_law() -> None:
    clips = clips_of(80, 3, 0.3, 4)
    one = frechet_infinity(clips, TRUTH, seed=1)
    tenfold = Gaussian(9, 10 * TRUTH.mean, 100 * TRUTH.covariance)
    two = frechet_infinity({name: 10 * frames for name, frames in clips.items()}, tenfold, seed=1)
    assert one.value is not None
    assert one.error is not None
    assert two.value == pytest.approx(100 * one.value, rel=1e-8)
    assert two.error == pytest.approx(100 * one.error, rel=1e-8)


def test_what_is_refused_by_name() -> None:
    assert frechet_infinity(clips_of(39, 1, 0.0, 1), TRUTH, seed=1).refused == "n < 5d"
    assert frechet_infinity(clips_of(200, 1, 0.0, 1), TRUTH, seed=1).refused is None
    # 60 frames that are nearly all copies are not 60 frames.
    copies = frechet_infinity(clips_of(30, 2, 0.999, 1), TRUTH, seed=1)
    assert (copies.refused, copies.value, copies.error) == ("n < 5d", None, None)
    assert frechet_infinity(clips_of(12, 50, 0.0, 1), TRUTH, seed=1).refused == "too few clips"
    assert frechet_infinity(clips_of(1, 500, 0.0, 1), TRUTH, seed=1).refused == "too few clips"
    with pytest.raises(ValueError, match="at least 3 points"):
        frechet_infinity(clips_of(50, 2, 0.0, 1), TRUTH, seed=1, points=2)
    with pytest.raises(ValueError, match="no clips"):
        frechet_infinity({}, TRUTH, seed=1)
    with pytest.raises(ValueError, match="not of one embedder"):
        frechet_infinity({name: one[:, :3] for name, one in clips_of(90, 9, 0.0, 1).items()}, TRUTH, seed=1)
