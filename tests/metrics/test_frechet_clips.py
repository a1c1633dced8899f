"""Moments, groups, interval, floor and influence of clips against numpy, brute force and closed forms."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from calm_eval.metrics.frechet import frechet_distance
from calm_eval.metrics.frechet_floor import (
    EffectiveFrames,
    effective_frames,
    floor_parts,
    intra_clip_correlation,
    noise_floor,
)
from calm_eval.metrics.frechet_gaussian import Accumulator, Gaussian, frame_moments, gaussian_of, merged, moments_of
from calm_eval.metrics.frechet_groups import frechet_interval, group_clips
from calm_eval.metrics.frechet_influence import clip_influences, transport
from calm_eval.stats.jackknife import deal

Array = NDArray[np.float64]
Clips = dict[str, Array]


def some_clips(count: int, dimensions: int = 6, rho: float = 0.5, seed: int = 0, low: int = 1, high: int = 12) -> Clips:
    generator = np.random.default_rng(seed)
    mix = generator.standard_normal((dimensions, dimensions))
    clips = {}
    for number in range(count):
        frames = int(generator.integers(low, high + 1))
        shared, own = generator.standard_normal(dimensions), generator.standard_normal((frames, dimensions))
        clips[f"c{number}"] = (rho**0.5 * shared + (1 - rho) ** 0.5 * own) @ mix
    return clips


def stacked(clips: Clips) -> Array:
    return np.concatenate(list(clips.values()))


@pytest.mark.parametrize("offset", [0.0, 1e6])
@pytest.mark.parametrize("pieces", [1, 7, 300])
def test_pieces_of_any_size_give_numpys_covariance(pieces: int, offset: float) -> None:
    frames = np.random.default_rng(1).standard_normal((300, 5)) * np.geomspace(1, 100, 5) + offset
    sums = Accumulator()
    for part in np.array_split(frames, pieces):
        sums.add(part)
    found = sums.moments().gaussian()
    exact = frames.astype(np.longdouble)
    away = exact - exact.mean(axis=0)
    assert found.count == 300
    np.testing.assert_allclose(found.mean, exact.mean(axis=0).astype(np.float64), rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(found.covariance, (away.T @ away / 299).astype(np.float64), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(merged([moments_of(p) for p in np.array_split(frames, 9)]).scatter, away.T @ away)


def test_float16_does_not_overflow_and_memory_is_not_kept(tmp_path: Path) -> None:
    frames = np.full((4, 3), 60000, dtype=np.float16)
    assert gaussian_of(frames).mean.tolist() == [60000.0] * 3
    sums, buffer = Accumulator(), np.zeros((2, 3))
    for number in range(3):
        buffer[:] = number
        sums.add(buffer)
    assert sums.moments().mean.tolist() == [1.0] * 3


def test_taking_a_part_out_gives_the_rest() -> None:
    clips = some_clips(9, seed=2)
    whole = frame_moments(stacked(clips))
    rest = whole.without(moments_of(clips["c4"]))
    truth = frame_moments(stacked({name: one for name, one in clips.items() if name != "c4"}))
    assert rest.count == truth.count
    np.testing.assert_allclose(rest.mean, truth.mean, atol=1e-12)
    np.testing.assert_allclose(rest.scatter, truth.scatter, atol=1e-10)


def test_groups_are_the_gaussians_of_their_clips() -> None:
    clips = some_clips(45, seed=3)
    groups = deal(clips)
    told = group_clips(clips.items(), groups)
    other = group_clips(reversed(clips.items()), groups)
    for kept in (range(20), [0, 3, 19], [k for k in range(20) if k != 7]):
        truth = np.concatenate([one for name, one in clips.items() if groups[name] in kept])
        for found in (told.gaussian(list(kept)), other.gaussian(list(kept))):
            np.testing.assert_allclose(found.covariance, np.cov(truth.T), rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(found.mean, truth.mean(axis=0), rtol=1e-10, atol=1e-12)
    assert sum(told.sizes) == len(stacked(clips))


def test_the_interval_is_the_jackknife_over_whole_groups() -> None:
    clips, reference = some_clips(40, seed=4, low=5, high=5), gaussian_of(stacked(some_clips(300, seed=5)))
    groups = deal(clips)
    told = frechet_interval(group_clips(clips.items(), groups), reference)
    assert told is not None

    def without(out: int | None) -> float:
        kept = [one for name, one in clips.items() if groups[name] != out]
        return frechet_distance(gaussian_of(np.concatenate(kept)), reference)

    left_out = np.array([without(group) for group in range(20)])
    assert told.value == pytest.approx(without(None), rel=1e-10)
    assert told.corrected == pytest.approx(20 * without(None) - 19 * left_out.mean(), rel=1e-9)
    assert told.error == pytest.approx(math.sqrt(19 / 20 * ((left_out - left_out.mean()) ** 2).sum()), rel=1e-8)
    assert told.low < told.corrected < told.high


def test_a_sampled_reference_widens_the_interval() -> None:
    clips, others = some_clips(60, seed=6), some_clips(60, seed=7)
    one, two = group_clips(clips.items(), deal(clips)), group_clips(others.items(), deal(others))
    known, sampled, turned = (
        frechet_interval(one, two.gaussian()),
        frechet_interval(one, two),
        frechet_interval(two, one.gaussian()),
    )
    assert known is not None
    assert sampled is not None
    assert turned is not None
    assert sampled.error == pytest.approx(math.hypot(known.error, turned.error), rel=1e-9)
    assert sampled.value == pytest.approx(known.value, rel=1e-12)


def test_few_clips() -> None:
    reference = gaussian_of(stacked(some_clips(50, seed=8)))
    for count, groups in ((1, None), (2, 2), (7, 7), (25, 20)):
        clips = some_clips(count, seed=9, low=3, high=3)
        told = frechet_interval(group_clips(clips.items(), deal(clips)), reference)
        assert (None if told is None else told.groups) == groups
    # Two clips of one frame: without either there is no covariance.
    clips = some_clips(2, seed=9, low=1, high=1)
    assert frechet_interval(group_clips(clips.items(), deal(clips)), reference) is None


def test_clips_that_cannot_be_taken_are_named() -> None:
    good = some_clips(3)
    groups = deal([*good, "bad"])
    for bad, words in (
        (np.zeros((0, 6)), "no frames"),
        (np.zeros((2, 5)), "5 dimensions"),
        (np.full((2, 6), np.nan), "not finite"),
        (np.zeros(6), "float array"),
    ):
        with pytest.raises(ValueError, match=rf"clip 'bad'.*{words}"):
            group_clips([*good.items(), ("bad", bad)], groups)
        with pytest.raises(ValueError, match="clip 'bad'"):
            clip_influences([("bad", bad)], frame_moments(stacked(good)), gaussian_of(stacked(good)))
    with pytest.raises(ValueError, match="'c0' is there twice"):
        group_clips([*good.items(), ("c0", good["c0"])], groups)
    with pytest.raises(ValueError, match="'new' has no group"):
        group_clips([("new", good["c0"])], groups)
    with pytest.raises(ValueError, match="no clips"):
        group_clips([], groups)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.8])
@pytest.mark.parametrize(("low", "high"), [(8, 8), (1, 15)])
def test_the_correlation_in_clips_is_found(rho: float, low: int, high: int) -> None:
    clips = some_clips(1500, rho=rho, seed=11, low=low, high=high)
    told = effective_frames(group_clips(clips.items(), deal(clips)))
    assert told is not None
    assert told.correlation == pytest.approx(rho, abs=0.03)
    lengths = np.array([len(one) for one in clips.values()])
    # The variance of a mean of all frames: every pair inside a clip adds rho.
    truth = lengths.sum() ** 2 / (lengths.sum() + rho * (lengths**2 - lengths).sum())
    assert told.for_mean == pytest.approx(truth, rel=0.12)
    assert told.frames >= told.for_covariance >= told.for_mean


def test_correlation_by_hand_and_at_its_ends() -> None:
    # Two clips of two frames, 0 and 2, 4 and 6: 4 within 2 degrees of freedom, 20 in all, so 16 between 1.
    # Between is (16 - 2) / 2 = 7, within 2: rho 7 / 9.
    assert intra_clip_correlation([2, 2], 20.0, 4.0) == pytest.approx(7 / 9)
    assert intra_clip_correlation([2, 2], 20.0, 0.0) == 1.0
    assert intra_clip_correlation([2, 2], 20.0, 20.0) == 0.0
    assert intra_clip_correlation([1, 1, 1], 20.0, 0.0) == 0.0
    alone = some_clips(1)
    assert effective_frames(group_clips(alone.items(), deal(alone))) is None


def test_the_floor_in_closed_form() -> None:
    # One dimension: means differ by variance (1/N + 1/M), deviations by half of that.
    one = Gaussian(9, np.zeros(1), np.array([[4.0]]))
    assert noise_floor(one, 100.0, 400.0) == pytest.approx((1 / 100 + 1 / 400) * 4 * 1.5)
    # Equal eigenvalues l: d l for the means, l (d^2 + d) / 4 for the covariances; dead dimensions add nothing.
    assert floor_parts(np.array([3.0] * 5 + [0.0] * 4)) == pytest.approx((15.0, 3 * 30 / 4))
    assert noise_floor(Gaussian(9, np.zeros(2), np.eye(2)), EffectiveFrames(90, 0.1, 10.0, 30.0)) == pytest.approx(
        2 / 10 + 1.5 / 30
    )
    with pytest.raises(ValueError, match="positive"):
        noise_floor(one, 0.0)


def test_the_floor_is_what_equal_distributions_show() -> None:
    generator = np.random.default_rng(12)
    truth = Gaussian(9, np.zeros(20), np.diag(np.geomspace(1, 0.01, 20)))
    spread = np.sqrt(np.diag(truth.covariance))
    found, floors = [], []
    for _ in range(50):
        clips = {
            f"c{number}": (0.6**0.5 * generator.standard_normal(20) + 0.4**0.5 * generator.standard_normal((8, 20)))
            * spread
            for number in range(200)
        }
        grouped = group_clips(clips.items(), deal(clips, 2))
        told = effective_frames(grouped)
        assert told is not None
        found.append(frechet_distance(grouped.gaussian(), truth))
        floors.append(noise_floor(truth, told))
    chance = 4 * np.std(found) / math.sqrt(len(found))
    assert np.mean(found) == pytest.approx(np.mean(floors), abs=chance)
    assert chance < 0.2 * np.mean(floors)


def test_transport_maps_one_covariance_to_the_other() -> None:
    source, target = gaussian_of(stacked(some_clips(80, seed=13))), gaussian_of(stacked(some_clips(90, seed=14)) ** 3)
    found = transport(source, target)
    np.testing.assert_allclose(found, found.T, atol=1e-9)
    np.testing.assert_allclose(found @ source.covariance @ found, target.covariance, rtol=1e-7, atol=1e-7)
    assert np.linalg.eigvalsh(found).min() > 0


def test_influence_is_what_dropping_a_clip_does() -> None:
    clips = some_clips(400, seed=15)
    clips["c17"] = clips["c17"] + 4.0
    reference = gaussian_of(stacked(some_clips(400, seed=15, rho=0.2)))
    told = clip_influences(clips.items(), frame_moments(stacked(clips)), reference)
    now = frechet_distance(gaussian_of(stacked(clips)), reference)
    assert {one.clip for one in told} == set(clips)
    assert told[0].clip == "c17"
    assert [one.exact is not None for one in told] == [True] * 10 + [False] * 390
    assert [one.exact for one in told[:10]] == sorted(one.exact for one in told[:10] if one.exact is not None)
    # So near to the reference the distance is curved, which is why the worst are computed anew.
    for one in told[:10]:
        rest = stacked({name: frames for name, frames in clips.items() if name != one.clip})
        truth = frechet_distance(gaussian_of(rest), reference) - now
        assert one.exact == pytest.approx(truth, abs=1e-10 * now)
    assert told[0].exact is not None
    assert told[0].exact < -10 * np.std([one.first_order for one in told])


def test_the_slope_is_right_where_clips_are_small() -> None:
    clips = some_clips(6000, seed=18, low=1, high=1)
    reference = gaussian_of(stacked(some_clips(300, seed=19, rho=0.2)) + 0.5)
    told = clip_influences(clips.items(), frame_moments(stacked(clips)), reference, worst=30)
    for one in told[:30]:
        assert one.exact == pytest.approx(one.first_order, rel=0.01)


def test_influence_with_fewer_frames_than_dimensions_and_with_two_clips() -> None:
    clips, reference = some_clips(3, dimensions=40, seed=16, low=4, high=4), gaussian_of(stacked(some_clips(90, 40)))
    told = clip_influences(clips.items(), frame_moments(stacked(clips)), reference)
    assert all(one.exact is not None and math.isfinite(one.first_order) for one in told)
    lone = some_clips(2, seed=17, low=1, high=1)
    assert clip_influences(lone.items(), frame_moments(stacked(lone)), gaussian_of(stacked(some_clips(9)))) == []
