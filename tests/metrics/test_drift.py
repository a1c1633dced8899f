"""Windows tile the clip; curves are sums by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from calm_eval.metrics.drift import CurvePoint, Window, drift_curve, equal_windows, fixed_windows, paired_changes
from calm_eval.metrics.protocol import ItemValue, refuse


def value(numerator: float, denominator: float = 1.0) -> ItemValue:
    return ItemValue(numerator, denominator)


def tiles(windows: list[Window], frames: int) -> bool:
    edges = [windows[0].start, *(window.stop for window in windows)]
    joined = all(window.start == stop for window, stop in zip(windows[1:], edges[1:], strict=False))
    return joined and edges[0] == 0 and edges[-1] == frames


@pytest.mark.parametrize("frames", [7, 100, 16000, 480001])
@pytest.mark.parametrize("count", [1, 3, 7])
def test_equal_windows_differ_by_one_sample_at_most_and_leave_nothing_out(frames: int, count: int) -> None:
    windows = equal_windows(frames, count)
    lengths = [window.stop - window.start for window in windows]
    assert len(windows) == count
    assert tiles(windows, frames)
    assert max(lengths) - min(lengths) <= 1
    assert sum(lengths) == frames


def test_equal_windows_are_numpys_split() -> None:
    # array_split puts the longer ones first; the number of each length is the same.
    ours = sorted(window.stop - window.start for window in equal_windows(23, 5))
    assert ours == sorted(map(len, np.array_split(np.arange(23), 5)))


@pytest.mark.parametrize(("frames", "count"), [(2, 3), (0, 1), (5, 0)])
def test_too_few_samples_cannot_be_cut(frames: int, count: int) -> None:
    with pytest.raises(ValueError, match="cannot cut"):
        equal_windows(frames, count)


@pytest.mark.parametrize(
    ("frames", "tail", "edges"),
    [
        (25, "drop", [0, 10, 20]),
        (25, "keep", [0, 10, 20, 25]),
        (25, "merge", [0, 10, 25]),
        (30, "drop", [0, 10, 20, 30]),
        (30, "keep", [0, 10, 20, 30]),
        (30, "merge", [0, 10, 20, 30]),
        (9, "drop", [0]),
        (9, "keep", [0, 9]),
        (9, "merge", [0, 9]),
        (10, "merge", [0, 10]),
        (0, "keep", [0]),
        (1, "merge", [0, 1]),
    ],
)
def test_tails(frames: int, tail, edges: list[int]) -> None:
    windows = fixed_windows(frames, 10, 1.0, tail)
    assert windows == [Window(start, stop) for start, stop in pairwise(edges)]


def test_windows_of_a_fraction_of_a_sample_more_do_not_wander_off() -> None:
    # 0.1 s at 44.1 kHz is whole, a third of a second at 44.1 kHz is 14700, 1/7 s is 6300; 0.0333 s is 1468.53 samples.
    windows = fixed_windows(44100 * 60, 44100, 0.0333, "drop")
    assert windows[1000] == Window(round(1000 * 1468.53), round(1001 * 1468.53))
    assert {window.stop - window.start for window in windows} == {1468, 1469}


@pytest.mark.parametrize(
    ("frames", "seconds", "tail"), [(10, 0.0, "drop"), (10, -1.0, "keep"), (10, 0.01, "keep"), (-1, 1.0, "keep")]
)
def test_no_window_of_nothing(frames: int, seconds: float, tail) -> None:
    with pytest.raises(ValueError, match="cannot cut"):
        fixed_windows(frames, 10, seconds, tail)
    with pytest.raises(ValueError, match="tail rule 'half'"):
        fixed_windows(10, 10, 1.0, "half")  # type: ignore[arg-type]


def test_a_curve_of_means_with_its_counts() -> None:
    clips = [
        [value(1.0), value(2.0), value(6.0)],
        [value(3.0), refuse("judge:silent")],
        [value(5.0), refuse("judge:silent"), refuse("judge:too-short")],
        [],
    ]
    assert drift_curve(clips) == [
        CurvePoint(0, 3.0, 3, 3, {}),
        CurvePoint(1, 2.0, 1, 3, {"judge:silent": 2}),
        CurvePoint(2, 6.0, 1, 2, {"judge:too-short": 1}),
    ]


def test_a_ratio_is_summed_before_it_is_divided() -> None:
    (point,) = drift_curve([[value(1, 1)], [value(0, 9)]])
    assert point.value == pytest.approx(0.1)
    assert point.value != pytest.approx(np.mean([1.0, 0.0]))


def test_where_nothing_is_left_there_is_no_value() -> None:
    points = drift_curve([[refuse("nan"), value(2, 0), ItemValue()]])
    assert [(point.value, point.n_scored, dict(point.missing)) for point in points] == [
        (None, 0, {"nan": 1}),
        (None, 1, {}),
        (None, 0, {"no-value": 1}),
    ]
    assert drift_curve([]) == []


def test_the_order_of_clips_does_not_count_and_doubling_them_doubles_the_counts_alone() -> None:
    generator = np.random.default_rng(0)
    clips = [[value(float(n)) for n in generator.integers(0, 9, size)] for size in (4, 2, 5, 1)]
    once, turned, twice = drift_curve(clips), drift_curve(clips[::-1]), drift_curve(clips + clips)
    assert once == turned
    assert [point.value for point in once] == [point.value for point in twice]
    assert [2 * point.n_expected for point in once] == [point.n_expected for point in twice]


def test_paired_changes_see_through_clips_that_end() -> None:
    # No clip changes; the short ones are worse, so the plain curve falls when they end.
    clips = [[value(1.0)] * 4, [value(1.0)] * 4, [value(9.0)] * 2, [value(3.0), refuse("nan")]]
    curve = drift_curve(clips)
    assert curve[-1].value == 1.0
    assert curve[0].value == pytest.approx(3.5)
    assert paired_changes(clips, 0, -1) == [0.0, 0.0, 0.0, None]
    assert paired_changes(clips, 0, 3) == [0.0, 0.0, None, None]


def test_a_change_is_late_less_early() -> None:
    clips = [[value(1, 2), value(3, 4)], [], [value(1, 0), value(1)]]
    assert paired_changes(clips, 0, 1) == [0.25, None, None]
