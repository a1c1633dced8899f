"""Deadlines, stalls and slopes against cases counted by hand."""

import numpy as np
import pytest

from calm_eval.latency.player import deadline_curve, miss_rate, play
from calm_eval.latency.slope import slope

MS = 1e6


def test_a_step_misses_a_deadline_that_it_exceeds_and_not_one_that_it_meets():
    assert miss_rate([10, 20, 30, 40], 20) == 0.5
    assert deadline_curve([10, 20, 30, 40], [5, 20, 40]).tolist() == [1.0, 0.5, 0.0]


def test_the_curve_is_the_miss_rate_at_every_deadline():
    walls = np.random.default_rng(0).lognormal(size=300)
    deadlines = np.linspace(0, 5, 40)
    assert deadline_curve(walls, deadlines).tolist() == [miss_rate(walls, one) for one in deadlines]


def test_a_steady_system_never_stalls_and_a_slow_one_stalls_at_every_frame():
    steady = play(np.arange(1, 11) * 80 * MS, 80 * MS, 1)
    assert (steady.stalls, steady.stalled) == (0, 0.0)
    slow = play(np.arange(1, 11) * 100 * MS, 80 * MS, 1)
    assert slow.stalls == 9
    assert slow.stalled == pytest.approx(9 * 20 * MS)


def test_one_late_frame_stalls_once_and_a_buffer_of_two_hides_it():
    ready = np.array([80, 160, 300, 320, 400]) * MS
    one = play(ready, 80 * MS, 1)
    assert one.stalls == 1
    assert one.stalled == pytest.approx(60 * MS)
    assert play(ready, 80 * MS, 2).stalls == 0


def test_a_deeper_buffer_never_stalls_more():
    ready = np.cumsum(np.random.default_rng(1).gamma(2.0, 40 * MS, size=200))
    stalled = [play(ready, 80 * MS, buffer).stalled for buffer in (1, 2, 4, 8, 16)]
    assert stalled == sorted(stalled, reverse=True)
    assert stalled[0] > stalled[-1]


def test_no_buffer_is_refused():
    with pytest.raises(ValueError, match="at least 1 frame"):
        play([1.0], 1.0, 0)


def test_a_line_has_its_slope_and_slow_steps_do_not_bend_it():
    times = 5e6 + 1200.0 * np.arange(300)
    assert slope(times) == pytest.approx(1200.0)
    times[::10] += 5e6
    assert slope(times) == pytest.approx(1200.0, rel=0.05)
    assert slope(np.full(50, 3.0)) == 0
    assert slope([1.0, 2.0]) is None


def test_long_generations_are_thinned_and_keep_their_slope():
    assert slope(7.0 + 3.0 * np.arange(5000)) == pytest.approx(3.0)
