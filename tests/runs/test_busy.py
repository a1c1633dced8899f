"""What is said of a machine that has other work."""

from __future__ import annotations

import pytest

from calm_eval.runs.busy import busy_line, load_average


@pytest.mark.parametrize(("load", "cores"), [(0.0, 2), (1.0, 2), (4.0, 8)])
def test_a_quiet_machine_is_not_spoken_of(load, cores):
    assert busy_line(load, cores, threads=cores) is None


def test_a_busy_machine_is_told_with_what_helps():
    told = busy_line(2.34, 2, threads=2)
    assert told is not None
    assert "load 2.3 on 2 cores" in told
    assert "--threads 1" in told
    alone = busy_line(2.34, 2, threads=1)
    assert alone is not None
    assert "--threads" not in alone


def test_the_load_of_this_machine_is_a_number_of_processes():
    load = load_average()
    assert load is not None
    assert 0 <= load < 10_000
