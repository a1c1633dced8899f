"""KAD by hand, against scikit-learn and its population value, and the laws of an unbiased estimate."""

from __future__ import annotations

import ast
import math
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from calm_eval.metrics import clip_frames, kernel_bandwidth
from calm_eval.metrics.clip_frames import ClipFrames
from calm_eval.metrics.kernel_bandwidth import median_distance
from calm_eval.metrics.kernel_distance import kernel_distance, kernel_sums

Clips = dict[str, NDArray[np.float64]]


def single(rows: NDArray[np.float64], prefix: str = "") -> Clips:
    """One frame a clip."""
    return {f"{prefix}{number}": row[None] for number, row in enumerate(rows)}


def clips(count: int, dims: int, seed: int, prefix: str = "", shift: float = 0.0) -> Clips:
    """Clips of 1 to 5 frames that are alike within a clip."""
    generator = np.random.default_rng(seed)
    return {
        f"{prefix}{number}": shift
        + generator.normal(size=dims)
        + 0.5 * generator.normal(size=(int(generator.integers(1, 6)), dims))
        for number in range(count)
    }


def stacked(these: Clips) -> tuple[NDArray[np.float64], list[str]]:
    return np.concatenate(list(these.values())), [name for name, rows in these.items() for _ in rows]


def by_scikit_learn(reference: Clips, generated: Clips, h: float, pairs: str) -> float:
    rbf_kernel = pytest.importorskip("sklearn.metrics.pairwise").rbf_kernel
    (x, of_x), (y, of_y) = stacked(reference), stacked(generated)

    def mean(a: Any, ids: list[str], b: Any, other: list[str]) -> float:
        kept = np.ones((len(a), len(b)), dtype=bool)
        if a is b:
            np.fill_diagonal(kept, False)
        if pairs == "clips":
            kept &= np.array(ids)[:, None] != np.array(other)[None, :]
        return float(rbf_kernel(a, b, gamma=1 / (2 * h * h))[kept].mean())

    return 100 * (mean(x, of_x, x, of_x) + mean(y, of_y, y, of_y) - 2 * mean(x, of_x, y, of_y))


def test_two_and_two_points_by_hand() -> None:
    reference, generated = single(np.array([[0.0], [1.0]]), "x"), single(np.array([[0.0], [2.0]]), "y")
    near, far = math.exp(-1 / 2), math.exp(-4 / 2)
    truth = 100 * (near + far - 2 * (1 + far + near + near) / 4)
    # The one distance inside the reference is 1, so that is the bandwidth too.
    assert kernel_distance(reference, generated) == pytest.approx(truth, rel=1e-14)
    assert kernel_distance(reference, generated, bandwidth=1.0, pairs="frames") == pytest.approx(truth, rel=1e-14)


@pytest.mark.parametrize("pairs", ["clips", "frames"])
def test_scikit_learns_kernel(pairs: Any) -> None:
    reference = clips(37, 6, 1)
    # Half of the generated ids are ids of the reference too.
    generated = clips(20, 6, 2, shift=0.3) | clips(15, 6, 3, "other", shift=0.3)
    for h in (0.4, 2.0, 9.0):
        for block in (7, 1024):
            ours = kernel_sums(reference, generated, bandwidth=h, block=block).distance(pairs=pairs)
            assert ours == pytest.approx(by_scikit_learn(reference, generated, h, pairs), abs=1e-11)


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.3, 1.0), (0.0, 0.5), (0.5, 1.5)])
def test_population_value_of_two_gaussians(shift: float, scale: float) -> None:
    dims, h = 5, 2.0
    generator = np.random.default_rng(4)

    def mean_kernel(spread: float, away: float) -> float:
        return (h * h / (h * h + spread)) ** (dims / 2) * math.exp(-away / (2 * (h * h + spread)))

    truth = mean_kernel(2, 0) + mean_kernel(2 * scale**2, 0) - 2 * mean_kernel(1 + scale**2, shift**2 * dims)
    values = [
        kernel_distance(
            single(generator.normal(size=(120, dims)), "x"),
            single(shift + scale * generator.normal(size=(90, dims)), "y"),
            bandwidth=h,
        )
        for _ in range(60)
    ]
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    assert abs(float(np.mean(values)) - 100 * truth) < 3.5 * error
    assert error < max(0.1, 0.15 * 100 * truth)  # the values of three of the four are far from 0


def test_frames_of_a_clip_bias_only_the_mean_over_all_frames() -> None:
    values: dict[Any, list[float]] = {"clips": [], "frames": []}
    for seed in range(60):
        sums = kernel_sums(clips(25, 3, 2 * seed, "x"), clips(25, 3, 2 * seed + 1, "y"), bandwidth=2.0)
        for pairs, found in values.items():
            found.append(sums.distance(pairs=pairs))
    error = {pairs: float(np.std(found, ddof=1)) / math.sqrt(60) for pairs, found in values.items()}
    assert abs(np.mean(values["clips"])) < 3.5 * error["clips"]
    assert np.mean(values["frames"]) > 5 * error["frames"]
    assert 0.2 < np.mean(np.array(values["clips"]) < 0) < 0.8


def test_identical_sets() -> None:
    same = clips(40, 8, 5)
    assert kernel_distance(same, same) == pytest.approx(0.0, abs=1e-12)
    assert kernel_sums(same, dict(same), block=16).without_items() == pytest.approx(np.zeros(20), abs=1e-12)
    # With a frame and its own copy among the cross pairs, the value is below 0 by a known amount.
    one_each = single(np.random.default_rng(1).normal(size=(30, 4)))
    x = np.concatenate(list(one_each.values()))
    off = float(np.exp(-pdist(x, "sqeuclidean") / 8).mean())
    told = kernel_distance(one_each, one_each, bandwidth=2.0, pairs="frames")
    assert told == pytest.approx(100 * 2 / 30 * (off - 1), rel=1e-10)


def test_duplicates_of_the_whole_set_by_closed_form() -> None:
    reference, generated = single(np.random.default_rng(1).normal(size=(30, 4)), "x"), clips(25, 4, 7, "y")
    generated = {name: rows[:1] for name, rows in generated.items()}
    twice = generated | {f"again-{name}": rows for name, rows in generated.items()}
    off = float(np.exp(-pdist(stacked(generated)[0], "sqeuclidean") / 2).mean())
    raised = 100 * ((4 * 25 * 24 * off + 2 * 25) / (50 * 49) - off)
    plain = kernel_distance(reference, generated, bandwidth=1.0)
    assert kernel_distance(reference, twice, bandwidth=1.0) == pytest.approx(plain + raised, rel=1e-10)


def test_order_rotation_shift_and_gain() -> None:
    reference, generated = clips(30, 6, 1, "x"), clips(30, 6, 2, "y", shift=0.5)
    truth = kernel_distance(reference, generated)
    turned = np.linalg.qr(np.random.default_rng(3).normal(size=(6, 6)))[0]

    def changed(change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> float:
        return kernel_distance(
            {name: change(rows) for name, rows in reversed(reference.items())},
            {name: change(rows) for name, rows in reversed(generated.items())},
        )

    assert changed(lambda rows: rows) == truth
    assert changed(lambda rows: rows @ turned) == pytest.approx(truth, rel=1e-10)
    assert changed(lambda rows: -7 * rows) == pytest.approx(truth, rel=1e-10)
    # A common offset costs the input its digits and the arithmetic none: 1e6 + x keeps x to 1e-10.
    assert changed(lambda rows: rows + 1e6) == pytest.approx(truth, rel=1e-7)
    assert changed(lambda rows: rows[::-1]) == pytest.approx(truth, rel=1e-10)


def test_symmetric_only_with_a_pinned_bandwidth() -> None:
    narrow, wide = clips(30, 6, 1, "x"), {name: 3 * rows for name, rows in clips(30, 6, 2, "y").items()}
    assert kernel_distance(narrow, wide, bandwidth=2.0) == pytest.approx(
        kernel_distance(wide, narrow, bandwidth=2.0), rel=1e-12
    )
    assert kernel_distance(narrow, wide) > 1.2 * kernel_distance(wide, narrow)
    pinned = median_distance(ClipFrames(narrow))
    assert kernel_distance(narrow, wide) == kernel_distance(narrow, wide, bandwidth=pinned)


def test_more_noise_is_further_away() -> None:
    reference = clips(60, 6, 1)
    generator = np.random.default_rng(2)
    noise = {name: generator.normal(size=rows.shape) for name, rows in reference.items()}
    values = [
        kernel_distance(reference, {name: rows + size * noise[name] for name, rows in reference.items()})
        for size in (0.0, 0.5, 1.0, 2.0)
    ]
    assert values == sorted(values)
    assert values[1] > 0.1


@pytest.mark.parametrize("pairs", ["clips", "frames"])
def test_leave_group_out_is_the_distance_without_those_clips(pairs: Any) -> None:
    reference, generated = clips(45, 4, 1), clips(30, 4, 2) | clips(12, 4, 3, "new")
    sums = kernel_sums(reference, generated, bandwidth=2.0, block=32)

    def without(these: Clips, group: int) -> Clips:
        return {name: these[name] for number, name in enumerate(ClipFrames(these).ids) if number % 20 != group}

    for group in (0, 7, 19):
        expected = kernel_distance(reference, without(generated, group), bandwidth=2.0, pairs=pairs)
        assert sums.without_generated(pairs=pairs)[group] == pytest.approx(expected, abs=1e-11)
        expected = kernel_distance(without(reference, group), generated, bandwidth=2.0, pairs=pairs)
        assert sums.without_reference(pairs=pairs)[group] == pytest.approx(expected, abs=1e-11)
    with pytest.raises(ValueError, match="one side at a time"):
        sums.without_items(pairs=pairs)
    moved = {name: rows + 1 for name, rows in reference.items()}
    expected = kernel_distance(without(reference, 7), without(moved, 7), bandwidth=2.0, pairs=pairs)
    both = kernel_sums(reference, moved, bandwidth=2.0)
    assert both.without_items(pairs=pairs)[7] == pytest.approx(expected, abs=1e-11)


def test_jackknife_error_is_the_spread_over_worlds() -> None:
    values, errors = [], []
    for seed in range(80):
        sums = kernel_sums(clips(60, 3, 2 * seed, "x"), clips(60, 3, 2 * seed + 1, "y", shift=0.7), bandwidth=2.0)
        values.append(sums.distance())
        variances = [
            (len(found) - 1) / len(found) * float(((found - found.mean()) ** 2).sum())
            for found in (sums.without_generated(), sums.without_reference())
        ]
        errors.append(sum(variances))
    assert math.sqrt(float(np.mean(errors))) == pytest.approx(float(np.std(values, ddof=1)), rel=0.25)


@pytest.mark.parametrize("count", [2, 3, 4, 30, 31])
@pytest.mark.parametrize("few", [2_000_000, 3])
def test_median_distance_is_the_lower_median_of_scipys(count: int, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_bandwidth, "_FEW", few)
    monkeypatch.setattr(kernel_bandwidth, "_BINS", 16)
    for seed in range(5):
        rows = np.random.default_rng(seed).lognormal(0, 3, size=(count, 4))
        found = np.sort(pdist(rows))
        for block in (4, 1024):
            ours = median_distance(ClipFrames(single(rows)), block=block)
            assert ours == pytest.approx(found[(len(found) - 1) // 2], rel=1e-9)


@pytest.mark.parametrize("few", [2_000_000, 5])
def test_median_distance_with_ties(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_bandwidth, "_FEW", few)
    corners = np.eye(12)  # every distance is the square root of 2
    assert median_distance(ClipFrames(single(corners)), block=5) == pytest.approx(math.sqrt(2), rel=1e-9)
    # 4 of 5 points each at two places a metre apart, and one far away: 12 zeros, 16 ones, 8 far.
    lumps = np.array([[0.0]] * 4 + [[1.0]] * 4 + [[1e6]])
    assert median_distance(ClipFrames(single(lumps)), block=4) == pytest.approx(1.0, rel=1e-6)
    rows = np.random.default_rng(1).normal(size=(13, 40))
    rows[3:] = rows[3]  # 45 of 78 pairs are a frame and its copy, 0 but for rounding
    with pytest.raises(ValueError, match="the same"):
        median_distance(ClipFrames(single(rows)), block=4)


def test_median_distance_of_many_frames_by_histograms() -> None:
    rows = np.random.default_rng(1).normal(size=(2600, 3))
    found = np.sort(pdist(rows))
    assert len(found) > 2_000_000
    assert median_distance(ClipFrames({"a": rows})) == pytest.approx(found[(len(found) - 1) // 2], rel=1e-12)


@pytest.mark.parametrize("place", [0, 13, 29])
def test_a_bad_clip_at_any_position_is_named(place: int) -> None:
    reference, generated = clips(30, 4, 1), clips(30, 4, 2)
    name = list(generated)[place]
    generated[name] = generated[name].copy()
    generated[name][-1, 2] = np.nan
    for sides in ((reference, generated), (generated, reference)):
        with pytest.raises(ValueError, match=f"'{name}'.*NaN"):
            kernel_distance(*sides, bandwidth=1.0)


@pytest.mark.parametrize(
    ("reference", "generated", "options", "told"),
    [
        ({}, {"a": np.ones((2, 2))}, {}, "at least one"),
        ({"a": np.ones((1, 2)), "b": np.zeros((1, 2))}, {"a": np.ones((1, 3))}, {}, "one dimension"),
        ({"a": np.ones((1, 2)), "b": np.zeros((1, 3))}, {"a": np.ones((1, 2))}, {}, "clip '[ab]'"),
        ({"a": np.ones((1, 2)), "b": np.zeros((0, 2))}, {"a": np.ones((1, 2))}, {}, "clip 'b'"),
        ({"a": np.ones(2)}, {"a": np.ones((1, 2))}, {}, "clip 'a'"),
        ({"a": np.ones((1, 2))}, {"b": np.ones((1, 2))}, {}, "two frames"),
        ({"a": np.eye(2)}, {"b": np.eye(2)}, {}, "two clips"),
        ({"a": np.ones((4, 2))}, {"b": np.eye(2)}, {}, "most of its frames are the same"),
        ({"a": np.eye(2)}, {"b": np.eye(2)}, {"bandwidth": 0.0}, "above 0"),
        ({"a": np.eye(2)}, {"b": np.eye(2)}, {"bandwidth": math.nan}, "above 0"),
    ],
)
def test_what_has_no_distance(reference: Any, generated: Any, options: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        kernel_distance(reference, generated, **options)


@pytest.mark.parametrize("held_values", [clip_frames.KEPT_VALUES, 0])
def test_memory_maps_and_bounded_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held_values: int) -> None:
    monkeypatch.setattr(clip_frames, "KEPT_VALUES", held_values)
    rows = np.random.default_rng(1).normal(size=(2000, 16)).astype(np.float32)
    np.save(tmp_path / "rows.npy", rows)
    held = np.load(tmp_path / "rows.npy", mmap_mode="r")
    reference = {f"x{number}": held[number : number + 1] for number in range(1000)}
    generated = {f"y{number}": held[number : number + 1] for number in range(1000, 2000)}
    tracemalloc.start()
    try:
        ours = kernel_sums(reference, generated, bandwidth=4.0, block=128).distance()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4e6  # one matrix of 1000 x 1000 is 8 MB
    whole = [single(part.astype(np.float64), name) for part, name in ((rows[:1000], "x"), (rows[1000:], "y"))]
    assert ours == pytest.approx(by_scikit_learn(*whole, 4.0, "frames"), abs=1e-9)


@pytest.mark.slow
def test_kadtk_in_double_precision() -> None:
    """Its functions alone, out of its wheel: the package itself wants TensorFlow."""
    wheel = os.environ.get("CALM_EVAL_KADTK_WHEEL")
    if wheel is None:
        pytest.skip("CALM_EVAL_KADTK_WHEEL is not set: the file of `pip download --no-deps kadtk==1.1.0`")
    torch = pytest.importorskip("torch")
    with zipfile.ZipFile(wheel) as archive:
        tree = ast.parse(archive.read("kadtk/kad.py"))
    wanted = ("calc_kernel_audio_distance", "median_pairwise_distance")
    tree.body = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in wanted]
    theirs: dict[str, Any] = {"torch": torch, "np": np, "Path": Path, "SCALE_FACTOR": 100}
    exec(compile(tree, "kad.py", "exec"), theirs)
    reference, generated = clips(60, 8, 1, "x"), clips(45, 8, 2, "y", shift=0.4)
    x, y = (torch.from_numpy(stacked(side)[0]) for side in (reference, generated))
    h = median_distance(ClipFrames(reference))
    assert h == pytest.approx(theirs["median_pairwise_distance"](x), rel=1e-6)  # theirs in float32

    def kadtk(bandwidth: float | None, precision: Any) -> float:
        found = theirs["calc_kernel_audio_distance"](
            x, y, cache_dirs=(None, None), device="cpu", bandwidth=bandwidth, precision=precision
        )
        return float(found)

    ours = kernel_distance(reference, generated, pairs="frames")
    assert ours == pytest.approx(kadtk(h, torch.float64), rel=1e-7)
    # What it does unasked: bandwidth of the generated set. A far offset in float32 then leaves nothing of the value.
    assert kadtk(None, torch.float64) == pytest.approx(
        kernel_distance(reference, generated, bandwidth=median_distance(ClipFrames(generated)), pairs="frames"),
        rel=1e-6,
    )
    x, y = x + 1e4, y + 1e4
    assert abs(kadtk(h, torch.float32) - ours) > 0.5 * ours
    moved = [{name: rows + 1e4 for name, rows in side.items()} for side in (reference, generated)]
    assert kernel_distance(*moved, pairs="frames") == pytest.approx(ours, rel=1e-9)
