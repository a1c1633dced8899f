"""The Fréchet distance against closed forms, peers, and laws that hold for every set."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import linalg

from calm_eval.assets import fetch
from calm_eval.errors import InputError, UnavailableError
from calm_eval.metrics.frechet import (
    RoutesDisagreeError,
    frechet_distance,
    frechet_distance_checked,
    frechet_distance_raw,
    require_agreement,
)
from calm_eval.metrics.frechet_gaussian import Gaussian, gaussian_of

Array = NDArray[np.float64]

REAL = (
    "vggish",
    "encodec-emb",
    "clap-laion-audio",
    "cdpam-content",
    pytest.param("MERT-v1-95M", marks=pytest.mark.slow),
    pytest.param("dac-44kHz", marks=pytest.mark.slow),
)


def drawn(count: int, dimensions: int, seed: int = 0, decay: float = 1e-3) -> Array:
    generator = np.random.default_rng(seed)
    mixed = generator.standard_normal((count, dimensions)) @ generator.standard_normal((dimensions, dimensions))
    return mixed * np.geomspace(1, decay, dimensions) + generator.standard_normal(dimensions)


def traces(*sets: Array) -> float:
    return float(sum(one.var(axis=0, ddof=1).sum() for one in sets))


def by_sqrtm(first: Array, second: Array) -> float:
    one, two = np.cov(first.T), np.cov(second.T)
    away = first.mean(axis=0) - second.mean(axis=0)
    return float(away @ away + np.trace(one + two) - 2 * np.trace(linalg.sqrtm(one @ two)).real)


@pytest.mark.parametrize(("count", "dimensions"), [(5000, 16), (600, 128), (40, 128), (8, 512), (2, 3), (513, 512)])
@pytest.mark.parametrize(("scale", "shift"), [(1.5, 0.0), (0.5, 0.3), (1.01, 0.01), (4.0, -2.0)])
def test_scaled_and_shifted_copies_on_both_routes(count: int, dimensions: int, scale: float, shift: float) -> None:
    frames = drawn(count, dimensions)
    middle = frames.mean(axis=0)
    copy = middle + scale * (frames - middle) + shift
    truth = dimensions * shift**2 + (1 - scale) ** 2 * traces(frames)
    assert frechet_distance_raw(frames, copy) == pytest.approx(truth, rel=1e-8)
    assert frechet_distance(gaussian_of(frames), gaussian_of(copy)) == pytest.approx(
        truth, rel=0, abs=1e-7 * traces(frames, copy)
    )


@pytest.mark.parametrize("counts", [(50, 50), (2, 9)])
def test_one_dimension(counts: tuple[int, int]) -> None:
    generator = np.random.default_rng(2)
    x, y = generator.normal(1, 2, counts[0]), generator.normal(-1, 0.5, counts[1])
    truth = (x.mean() - y.mean()) ** 2 + (x.std(ddof=1) - y.std(ddof=1)) ** 2
    assert frechet_distance_checked(x[:, None], y[:, None]) == pytest.approx(truth, rel=1e-12)


def test_independent_dimensions_are_a_sum_of_one_dimensional_distances() -> None:
    one, two = np.array([4.0, 1.0, 0.25, 0.0]), np.array([1.0, 9.0, 0.0, 0.0])
    first, second = Gaussian(9, np.zeros(4), np.diag(one)), Gaussian(9, np.ones(4), np.diag(two))
    assert frechet_distance(first, second) == pytest.approx(4 + float(((one**0.5 - two**0.5) ** 2).sum()), rel=1e-12)


def test_rank_one_by_hand() -> None:
    # Two points each: deviations along u and v, variances 2 and 8; the nuclear norm of one product is its size.
    u, v = np.array([1.0, 0.0, 0.0]), np.array([0.6, 0.8, 0.0])
    x, y = np.stack([u, -u]), np.stack([2 * v, -2 * v])
    truth = 2 + 8 - 2 * 0.6 * (2 * 8) ** 0.5
    assert frechet_distance_raw(x, y) == pytest.approx(truth, rel=1e-12)
    assert frechet_distance(gaussian_of(x), gaussian_of(y)) == pytest.approx(truth, abs=1e-7 * 10)


@pytest.mark.parametrize(("n", "m", "d"), [(8, 8, 512), (8, 2000, 256), (300, 9, 512), (257, 300, 256), (30, 20, 128)])
def test_both_routes_agree_at_any_rank(n: int, m: int, d: int) -> None:
    x, y = drawn(n, d, 1), drawn(m, d, 2)[:, ::-1] + 5
    raw = frechet_distance_raw(x, y)
    assert frechet_distance(gaussian_of(x), gaussian_of(y)) == pytest.approx(raw, abs=1e-9 * traces(x, y))
    assert frechet_distance_checked(x, y) == raw


def test_supports_that_do_not_meet() -> None:
    generator = np.random.default_rng(3)
    basis = np.linalg.qr(generator.standard_normal((300, 40)))[0].T
    x = generator.standard_normal((500, 20)) @ basis[:20]
    y = generator.standard_normal((400, 20)) @ basis[20:]
    away = x.mean(axis=0) - y.mean(axis=0)
    truth = away @ away + traces(x, y)
    assert frechet_distance_raw(x, y) == pytest.approx(truth, rel=1e-8)
    assert frechet_distance(gaussian_of(x), gaussian_of(y)) == pytest.approx(truth, abs=1e-7 * traces(x, y))


def test_dead_dimensions_change_nothing() -> None:
    x, y = drawn(400, 64, 1), drawn(300, 64, 2)
    truth = frechet_distance_raw(x, y)
    places = np.random.default_rng(5).permutation(256)
    wide_x = np.concatenate([x, np.full((400, 192), 3.25)], axis=1)[:, places]
    wide_y = np.concatenate([y, np.full((300, 192), 3.25)], axis=1)[:, places]
    assert frechet_distance_raw(wide_x, wide_y) == pytest.approx(truth, rel=1e-8)
    assert frechet_distance(gaussian_of(wide_x), gaussian_of(wide_y)) == pytest.approx(truth, abs=1e-7 * traces(x, y))


def test_a_spectrum_flat_at_the_bottom_keeps_its_small_parts() -> None:
    # Eigenvalues of the product at 1e-18 of the largest: their roots are lost unless singular values take over.
    variances = np.concatenate([[1.0], np.full(499, 1e-9)])
    rotation = np.linalg.qr(np.random.default_rng(6).standard_normal((500, 500)))[0]
    covariance = rotation * variances @ rotation.T
    covariance = (covariance + covariance.T) / 2
    one, two = Gaussian(9, np.zeros(500), covariance), Gaussian(9, np.zeros(500), 4 * covariance)
    assert frechet_distance(one, two) == pytest.approx(np.trace(covariance), rel=1e-10)


@pytest.mark.parametrize(("n", "m", "d"), [(900, 700, 64), (400, 1000, 200)])
def test_scipys_matrix_root(n: int, m: int, d: int) -> None:
    x, y = drawn(n, d, 1), drawn(m, d, 2)
    assert frechet_distance_checked(x, y) == pytest.approx(by_sqrtm(x, y), rel=1e-6)


def test_identical_sets_and_a_shuffled_copy() -> None:
    frames = drawn(700, 96)
    shuffled = frames[np.random.default_rng(1).permutation(700)]
    for other in (frames, shuffled):
        assert 0 <= frechet_distance_checked(frames, other) <= 1e-10 * traces(frames)


def test_laws_of_rotation_scale_side_and_duplication() -> None:
    x, y = drawn(400, 48, 1), drawn(90, 48, 2)
    truth = frechet_distance_checked(x, y)
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((48, 48)))[0]
    assert frechet_distance_checked(x @ turn, y @ turn) == pytest.approx(truth, rel=1e-9)
    assert frechet_distance_checked(3e4 * x, 3e4 * y) == pytest.approx(9e8 * truth, rel=1e-9)
    assert frechet_distance_checked(1e-20 * x, 1e-20 * y) == pytest.approx(1e-40 * truth, rel=1e-9)
    assert frechet_distance_checked(y, x) == pytest.approx(truth, rel=1e-9)
    assert frechet_distance_checked(x + 1e5, y + 1e5) == pytest.approx(truth, rel=1e-8)
    # The whole set twice: the means stay, the covariance loses (n - 1) 2 / (2 n - 1).
    mean = x.mean(axis=0)
    twice = Gaussian(800, mean, np.cov(x.T) * 399 * 2 / 799)
    assert frechet_distance_raw(np.tile(x, (2, 1)), y) == pytest.approx(
        frechet_distance(twice, gaussian_of(y)), rel=1e-9
    )


def test_frames_all_alike_have_only_a_mean() -> None:
    x, y = np.full((5, 7), 2.0), drawn(30, 7)
    away = 2.0 - y.mean(axis=0)
    assert frechet_distance_checked(x, y) == pytest.approx(away @ away + traces(y), rel=1e-12)
    assert frechet_distance_checked(x, np.full((9, 7), 5.0)) == pytest.approx(63, rel=1e-12)


def test_float32_on_disk_is_read_as_it_is(tmp_path: Path) -> None:
    x, y = drawn(50_000, 96, 1).astype(np.float32), drawn(600, 96, 2).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    # 50,000 frames are more than one block of the QR route.
    assert frechet_distance_checked(mapped, y) == pytest.approx(
        by_sqrtm(x.astype(np.float64), y.astype(np.float64)), rel=1e-7
    )


def test_what_is_refused() -> None:
    good = drawn(30, 4)
    bad = good.copy()
    bad[17, 2] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        frechet_distance_raw(good, bad)
    with pytest.raises(ValueError, match="not finite"):
        frechet_distance_raw(np.where(np.isnan(bad), np.inf, bad), good)
    with pytest.raises(ValueError, match="two frames"):
        frechet_distance_raw(good, good[:1])
    with pytest.raises(ValueError, match="two frames"):
        frechet_distance_raw(good[:0], good)
    with pytest.raises(ValueError, match="4 and of 3 dimensions"):
        frechet_distance_raw(good, good[:, :3])
    with pytest.raises(ValueError, match="4 and of 3 dimensions"):
        frechet_distance(gaussian_of(good), gaussian_of(good[:, :3]))
    for shape in (good[0], good[None], np.zeros((3, 0)), np.arange(12).reshape(4, 3)):
        with pytest.raises(ValueError, match="float array"):
            frechet_distance_raw(good, shape)


def test_what_is_no_covariance() -> None:
    fine = Gaussian(9, np.zeros(2), np.eye(2))
    with pytest.raises(ValueError, match="not symmetric"):
        frechet_distance(fine, Gaussian(9, np.zeros(2), np.array([[1.0, 0.5], [0.4, 1.0]])))
    with pytest.raises(ValueError, match="eigenvalue"):
        frechet_distance(fine, Gaussian(9, np.zeros(2), np.diag([1.0, -1e-5])))
    with pytest.raises(ValueError, match="eigenvalue"):
        frechet_distance(fine, Gaussian(9, np.zeros(2), -np.eye(2)))
    # Rounding below zero is none: (1 - 0)^2 + (1 - 1)^2.
    assert frechet_distance(fine, Gaussian(9, np.zeros(2), np.diag([1.0, -1e-9]))) == pytest.approx(1.0)
    for mean, covariance in ((np.zeros(2), np.eye(3)), (np.zeros(0), np.eye(0)), (np.zeros((1, 2)), np.eye(2))):
        with pytest.raises(ValueError, match="a mean"):
            Gaussian(9, mean, covariance)
    with pytest.raises(ValueError, match="not finite"):
        Gaussian(9, np.array([0.0, np.nan]), np.eye(2))


def test_routes_that_disagree_name_both_values() -> None:
    require_agreement(1.0, 1.0 + 0.9e-6, 1.0)
    for wrong in (1.0 + 1.1e-6, float("nan")):
        with pytest.raises(RoutesDisagreeError, match=r"1\.0 from embeddings") as caught:
            require_agreement(1.0, wrong, 1.0)
        assert caught.value.raw == 1.0
        assert caught.value.statistics is wrong


def real(model: str) -> Gaussian:
    told = os.environ.get("CALM_EVAL_FMA_POP")
    try:
        path = Path(told) if told else fetch("fadtk-gaussians") / "fma_pop.npz"
    except (UnavailableError, InputError) as error:
        pytest.skip(f"no real Gaussians: {error}")
    with np.load(path) as arrays:
        return Gaussian(1000, arrays[f"{model}.mu"], arrays[f"{model}.cov"])


@pytest.mark.parametrize("model", REAL)
def test_real_covariances_scaled_and_shifted(model: str) -> None:
    about = real(model)
    spread = float(np.trace(about.covariance))
    for scale, shift in ((1.0, 0.0), (1.1, 0.01), (3.0, 1.0)):
        other = Gaussian(1000, about.mean + shift, scale**2 * about.covariance)
        truth = about.dimensions * shift**2 + (1 - scale) ** 2 * spread
        assert frechet_distance(about, other) == pytest.approx(truth, abs=1e-7 * (1 + scale**2) * spread)


def test_real_covariances_against_scipys_root_of_a_positive_matrix() -> None:
    # Two CLAPs share their dimensions and little else; the root of one and the symmetric product are stable.
    one, two = real("clap-laion-audio"), real("clap-laion-music")
    root = linalg.sqrtm(one.covariance)
    inner = np.linalg.eigvalsh(root @ two.covariance @ root)
    away = one.mean - two.mean
    spread = float(np.trace(one.covariance + two.covariance))
    theirs = float(away @ away) + spread - 2 * float(np.sqrt(np.maximum(inner, 0)).sum())
    assert frechet_distance(one, two) == pytest.approx(theirs, abs=1e-7 * spread)


PEER = """
import json, sys
import numpy as np, torch
from torchmetrics.image.fid import _compute_fid
with np.load(sys.argv[1]) as sets:
    told = []
    for case in range(int(sys.argv[2])):
        x, y = torch.from_numpy(sets[f"x{case}"]), torch.from_numpy(sets[f"y{case}"])
        told.append(float(_compute_fid(x.mean(0), torch.cov(x.T), y.mean(0), torch.cov(y.T))))
print(json.dumps(told))
"""


@pytest.mark.slow
def test_torchmetrics(tmp_path: Path) -> None:
    python = os.environ.get("CALM_EVAL_TORCHMETRICS_PYTHON", sys.executable)
    found = subprocess.run([python, "-c", "import torchmetrics.image.fid"], capture_output=True, check=False)
    if found.returncode != 0:
        pytest.skip("no torchmetrics: CALM_EVAL_TORCHMETRICS_PYTHON names an interpreter that has it")
    cases = [(drawn(n, d, 1), drawn(m, d, 2)) for n, m, d in ((900, 700, 64), (1500, 1000, 256), (2000, 3000, 512))]
    named = {f"{side}{place}": one for place, pair in enumerate(cases) for side, one in zip("xy", pair, strict=True)}
    np.savez(tmp_path / "sets.npz", **named)
    words = [python, "-c", PEER, str(tmp_path / "sets.npz"), str(len(cases))]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    for (x, y), theirs in zip(cases, json.loads(done.stdout), strict=True):
        assert frechet_distance_checked(x, y) == pytest.approx(theirs, abs=1e-7 * traces(x, y))
