"""Ratios and the self-check: the identity of the published table, and pairs that break it."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.latency.compare import compare
from calm_eval.latency.generation import Generation, PartSpan
from calm_eval.latency.measured import Measured
from calm_eval.latency.rows import Row, RowWish
from calm_eval.latency.summary import summarise
from calm_eval.stats.processes import median_interval, ratio_of_medians

STEPS = 40


def summary(name, backbone, head, codec=0.0, frame_rate=12.5, generations=4, mode="eager"):
    """A row whose steps take so many milliseconds, give or take a steady wobble."""
    made = []
    for number in range(generations):
        wobble = 1 + 0.01 * ((-1) ** number)
        spans, now, arrivals = [], 0, []
        for step in range(STEPS):
            start = now
            for part, milliseconds in (("backbone", backbone), ("head", head), ("codec", codec)):
                if milliseconds:
                    spent = round(1e6 * milliseconds * wobble)
                    spans.append(PartSpan(part, step, now, spent))
                    now += spent
            spans.append(PartSpan("step", step, start, now - start))
            arrivals.append(now)
        made.append(
            Generation(now, tuple(arrivals), tuple(spans), seconds=STEPS / frame_rate, cold=number == 0, process=number)
        )
    row = Row(name, name, {}, 3.2, frame_rate=frame_rate, mode=mode)
    return summarise(Measured(row, counted=made))


def test_the_published_speech_table_adds_up():
    # CALM Table 2: the head of the RQ-Transformer takes 26.7 %, CALM's is 12.3 times faster, 1.3 times in all, 2.9 %.
    base, fast = summary("rq", 73.3, 26.7), summary("calm", 73.3, 26.7 / 12.3)
    found = compare(fast, base, same_backbone=True)
    assert found.head.value == pytest.approx(12.3, rel=1e-6)
    assert found.step.value == pytest.approx(1.325, abs=5e-4)
    assert found.end_to_end.value == pytest.approx(1.325, abs=5e-4)
    assert fast.parts["head"].share == pytest.approx(0.029, abs=5e-4)
    assert found.amdahl.predicted == pytest.approx(found.amdahl.measured)
    assert not found.amdahl.suspect


def test_a_pair_that_breaks_the_law_is_suspect():
    base, other = summary("rq", 73.3, 26.7), summary("calm", 50.0, 26.7 / 12.3)
    assert compare(other, base, same_backbone=True).amdahl.suspect
    assert compare(other, base, same_backbone=False).amdahl is None


def test_another_codec_does_not_break_it():
    base, other = summary("rq", 73.3, 26.7, codec=30.0), summary("calm", 73.3, 26.7 / 12.3, codec=2.0)
    found = compare(other, base, same_backbone=True)
    assert not found.amdahl.suspect
    assert found.step.value > found.amdahl.measured


def test_rates_of_frames_are_brought_to_a_second_of_audio():
    base, half = summary("a", 8.0, 2.0, frame_rate=25.0), summary("b", 8.0, 2.0, frame_rate=12.5)
    found = compare(half, base, same_backbone=False)
    assert (found.head.value, found.step.value, found.end_to_end.value) == pytest.approx((2.0, 2.0, 2.0))


def test_a_row_beside_itself_is_one_and_a_pair_turned_round_is_its_inverse():
    a, b = summary("a", 8.0, 2.0), summary("b", 5.0, 1.0)
    assert compare(a, a, same_backbone=True).step.value == 1
    there, back = compare(b, a, same_backbone=False), compare(a, b, same_backbone=False)
    assert there.step.value * back.step.value == pytest.approx(1)


def test_eager_and_compiled_are_not_compared():
    with pytest.raises(ValueError, match="is compiled"):
        compare(summary("a", 8.0, 2.0), summary("b", 8.0, 2.0, mode="compiled"), same_backbone=False)


def test_quantities_of_a_row_with_known_times():
    one = summary("a", 6.0, 3.0, codec=1.0)
    assert one.step.value == pytest.approx(10e6, rel=0.011)
    assert {name: round(part.share, 6) for name, part in one.parts.items()} == {
        "backbone": 0.6, "head": 0.3, "codec": 0.1, "unattributed": 0.0,
    }  # fmt: skip
    assert one.real_time_factor == pytest.approx(0.125, rel=0.011)
    assert one.missed == 0
    assert {buffer: play.stalls for buffer, play in one.playback.items()} == {1: 0, 2: 0, 4: 0, 8: 0}
    assert one.first_audio_cold == pytest.approx(10.1e6)
    assert one.throughput[1] == pytest.approx(8.0, rel=0.011)
    assert one.faults == {}
    # 156 steps: enough for the 90th and the 95th percentile, not for the 99th.
    assert [one.lacking_generations(share) for share in (0.5, 0.9, 0.95, 0.99)] == [0, 0, 0, 13]


def test_one_generation_has_a_median_and_no_interval():
    value, interval = median_interval([np.array([1.0, 2.0, 9.0])])
    assert (value, interval) == (pytest.approx(2.0), None)
    assert ratio_of_medians([np.array([4.0])], [np.array([2.0]), np.array([2.0])]) == (pytest.approx(2.0), None)


def test_generations_that_agree_leave_no_width_and_a_shared_slowdown_cancels():
    same = [np.array([2.0, 3.0])] * 5
    value, interval = median_interval(same)
    assert (value, *interval) == pytest.approx((2.5, 2.5, 2.5))
    slow = [factor * np.array([2.0, 3.0]) for factor in (1.0, 1.1, 1.4, 1.2, 1.3)]
    value, interval = ratio_of_medians([2 * one for one in slow], slow)
    assert (value, *interval) == pytest.approx((2.0, 2.0, 2.0))
    _, alone = median_interval(slow)
    assert alone[0] < 2.5 < alone[1]


@pytest.mark.parametrize("processes", [2, 3, 5, 10])
def test_the_interval_holds_another_measurement_about_as_often_as_it_says(processes):
    # Each process is a few per cent off by itself, and its steps scatter around that.
    draw = np.random.default_rng(processes)

    def once():
        return [4.0 * draw.lognormal(0.0, 0.03) * draw.lognormal(0.0, 0.02, size=40) for _ in range(processes)]

    hits, pairs = 0, 0
    for _ in range(1000):
        a, b, other = once(), once(), (once(), once())
        low, high = median_interval(a)[1]
        hits += low <= median_interval(other[0])[0] <= high
        low, high = ratio_of_medians(a, b)[1]
        pairs += low <= ratio_of_medians(*other)[0] <= high
    assert 0.925 <= hits / 1000 <= 0.975
    assert 0.925 <= pairs / 1000 <= 0.975


def test_other_numbers_of_processes_are_not_paired():
    a = [np.array([2.0 * factor]) for factor in (1.0, 1.02, 0.99)]
    b = [np.array([1.0 * factor]) for factor in (1.0, 1.01, 0.98, 1.0)]
    value, (low, high) = ratio_of_medians(a, b)
    spread = 2 * (np.var(np.log([2, 2.04, 1.98]), ddof=1) / 3 + np.var(np.log([1, 1.01, 0.98, 1]), ddof=1) / 4)
    assert value == pytest.approx(2 * (1.02 * 0.99) ** (1 / 3) / (1.01 * 0.98) ** (1 / 4))
    assert np.log(high / value) == pytest.approx(4.302653 * np.sqrt(spread), rel=1e-3)
    assert low * high == pytest.approx(value**2)


def test_the_interval_by_hand():
    # Medians e^0, e^0.1, e^0.2: s = 0.1, t of 2 degrees of freedom 4.3027, half width t s sqrt(2 / 3).
    value, (low, high) = median_interval([np.exp([0.0]), np.exp([0.1]), np.exp([0.2])])
    assert value == pytest.approx(np.exp(0.1))
    assert np.log(high / value) == pytest.approx(4.302653 * 0.1 * np.sqrt(2 / 3), rel=1e-4)
    assert np.log(value / low) == pytest.approx(np.log(high / value))


def test_no_measurement_and_a_zero_below_are_refused():
    with pytest.raises(ValueError, match="no measurements"):
        median_interval([])
    with pytest.raises(ValueError, match="a median of 0: times are above 0"):
        ratio_of_medians([np.ones(3)], [np.zeros(3)])


def test_rows_are_read_from_words():
    assert RowWish.parse("mini-calm-music:steps=4,temperature=0.7") == RowWish(
        "mini-calm-music", {"steps": 4, "temperature": 0.7}
    )
