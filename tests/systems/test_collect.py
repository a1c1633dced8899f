"""Bookkeeping of a batch, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.systems.collect import BadAnswerError, Collector

SECOND = np.zeros((1, 16000), dtype=np.float32)


def batch() -> Collector:
    """Two samples of 1 s and 3 s; the first chunk at 1 s, ends at 2 s and 4 s of system time."""
    collector = Collector(["short", "long", "lost"], seed=0, cold=False)
    collector.chunk("short", SECOND, 16000, 1_000_000_000)
    collector.done("short", "eos", 2_000_000_000)
    for _ in range(3):
        collector.chunk("long", SECOND, 16000, 3_000_000_000)
    collector.done("long", "limit", 4_000_000_000)
    return collector


@pytest.mark.parametrize(("batch_ns", "seconds"), [(8_000_000_000, [2.0, 6.0]), (None, [1.0, 3.0])])
def test_time_is_shared_by_seconds_of_audio_also_when_the_batch_broke(batch_ns, seconds):
    collector = batch()
    found = list(collector.finished(batch_ns))
    assert [outcome.generate_seconds for outcome in found] == pytest.approx(seconds)
    assert [outcome.first_audio_seconds for outcome in found] == pytest.approx([1.0, 3.0])
    assert [outcome.streamed for outcome in found] == [False, True]
    assert [outcome.why for outcome in found] == ["eos", "limit"]
    assert collector.unfinished() == ["lost"]


def test_a_sample_alone_has_its_own_time():
    collector = Collector(["one"], seed=0, cold=True)
    collector.chunk("one", SECOND, 16000, 500_000_000)
    collector.done("one", "eos", 750_000_000)
    [outcome] = collector.finished(900_000_000)
    assert (outcome.generate_seconds, outcome.first_audio_seconds, outcome.cold) == (0.75, 0.5, True)


@pytest.mark.parametrize(
    "call",
    [
        lambda one: one.chunk("nobody", SECOND, 16000, 1),
        lambda one: one.chunk("short", SECOND, 16000, 1),
        lambda one: one.chunk("lost", SECOND, 0, 1),
        lambda one: (one.chunk("lost", SECOND, 16000, 1), one.chunk("lost", SECOND, 8000, 1)),
        lambda one: (one.chunk("lost", SECOND, 16000, 1), one.chunk("lost", np.zeros((2, 5), np.float32), 16000, 1)),
        lambda one: one.done("lost", "bored", 1),
        lambda one: one.done("short", "eos", 1),
    ],
)
def test_events_that_make_no_sense_are_refused(call):
    with pytest.raises(BadAnswerError):
        call(batch())
