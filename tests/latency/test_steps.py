"""Spans placed in steps, and every named fault, on generations written by hand (milliseconds as nanoseconds)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calm_eval.latency.faults import FAULTS, faults
from calm_eval.latency.generation import Generation, PartSpan, generation_from
from calm_eval.latency.steps import steps_of
from calm_eval.systems.child import BatchBrokenError

MS = 1_000_000
RATE = 50.0


def generation(steps=10, backbone=6, head=3, gap=1, prefill=5):
    """Steps of backbone, head and 1 ms of nothing; the first also holds the prefill. All end where the next begins."""
    spans, now = [PartSpan("prefill", 0, 0, prefill * MS)], 0
    arrivals = []
    for step in range(steps):
        first = prefill if step == 0 else 0
        start = now + first * MS
        spans.append(PartSpan("backbone", step, start, backbone * MS))
        spans.append(PartSpan("head", step, start + backbone * MS, head * MS))
        wall = (first + backbone + head + gap) * MS
        spans.append(PartSpan("step", step, now, wall))
        now += wall
        arrivals.append(now)
    return Generation(now, tuple(arrivals), tuple(spans), seconds=steps / RATE)


def names(one, frame_rate=RATE):
    return {fault.name for fault in faults(one, steps_of(one), frame_rate)}


def test_parts_and_what_is_left_add_up_to_the_step():
    steps = steps_of(generation())
    assert steps.source == "marks"
    assert steps.steady.tolist() == [10 * MS] * 9
    assert steps.steady_part("backbone").tolist() == [6 * MS] * 9
    assert steps.steady_part("head").tolist() == [3 * MS] * 9
    assert steps.steady_part("codec").tolist() == [0] * 9
    assert steps.unattributed.tolist() == [MS] * 10
    assert steps.parts["prefill"].tolist() == [5 * MS, *[0] * 9]


def test_a_part_belongs_to_the_step_in_which_it_began_whatever_its_number():
    one = generation()
    shifted = replace(one, spans=tuple(replace(span, step=span.step + 3) for span in one.spans if span.name != "step")
                      + tuple(span for span in one.spans if span.name == "step"))  # fmt: skip
    assert np.array_equal(steps_of(shifted).parts["head"], steps_of(one).parts["head"])
    blind = replace(one, spans=tuple(replace(span, start=None) if span.name == "head" else span for span in one.spans))
    assert np.array_equal(steps_of(blind).parts["head"], steps_of(one).parts["head"])


def test_without_marks_a_step_goes_from_one_arrival_to_the_next():
    one = generation()
    bare = replace(one, spans=())
    steps = steps_of(bare)
    assert steps.source == "arrivals"
    assert steps.walls.tolist() == [15 * MS, *[10 * MS] * 9]
    assert steps.parts == {}
    assert names(bare) == set()


def test_a_good_generation_has_no_fault():
    assert names(generation(gap=0)) == set()


def test_each_fault_is_seen_and_no_other():
    good = generation(gap=0)
    spans = good.spans
    heads = [span for span in spans if span.name == "head"]
    planted = {
        "no-steps": replace(good, spans=(), arrivals=good.arrivals[-1:]),
        "span-unended": replace(good, spans=(*spans, PartSpan("other", 3, heads[3].start + 3 * MS, None))),
        "span-overlap": replace(
            good, spans=tuple(replace(one, start=one.start - 2 * MS) if one is heads[4] else one for one in spans)
        ),
        "steps-miss-audio": replace(good, seconds=2 * good.seconds),
        "time-outside-steps": replace(good, end=int(1.2 * good.end)),
        "unattributed": generation(gap=2),
        "clocks-disagree": replace(good, outside=2 * good.end),
        "step-without-span": replace(good, spans=tuple(one for one in spans if one.step != 4 or one.name == "step")),
    }
    for name, one in planted.items():
        # Of one bare step the time is also unattributed, a part of it all.
        assert names(one) - ({"unattributed"} if name == "step-without-span" else set()) == {name}, name
    blind = tuple(
        replace(one, start=None, nanoseconds=3 * one.nanoseconds) if one.name != "step" else one for one in spans
    )
    assert "spans-exceed-wall" in names(replace(good, spans=blind))
    assert set(planted) | {"spans-exceed-wall"} == set(FAULTS)


def test_one_that_times_an_empty_cache_only_is_told():
    good = generation(steps=100, gap=0)
    short = replace(good, spans=tuple(span for span in good.spans if span.step < 20))
    assert {"steps-miss-audio", "time-outside-steps"} <= names(short)


def told(**changes):
    """What a child tells of two frames."""
    plain = {
        "chunks": [["a", 5, 320], ["a", 9, 320]], "spans": [["head", 0, 1, 2]], "ends": {"a": "length"}, "failures": {},
        "rate": 16000, "end": 10, "peak_bytes": None, "device_peak_bytes": None,
    }  # fmt: skip
    return generation_from({**plain, **changes}, batch=1, cold=True, load=0.1)


def test_what_a_child_tells_is_taken_over():
    one = told()
    assert (one.end, one.arrivals, one.first_audio, one.seconds) == (10, (5, 9), 5, 640 / 16000)
    assert one.spans == (PartSpan("head", 0, 1, 2),)
    assert Generation.from_json(one.json()) == one


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"failures": {"a": ["refused", "not today"]}}, "refused"),
        ({"chunks": []}, "empty"),
        ({"chunks": [["a", 5, 0]]}, "empty"),
        ({"ends": {}}, "unfinished"),
        ({"chunks": [["a", 5, 320], ["a", 4, 320]]}, "clock-backwards"),
        ({"spans": [["head", 0, 1, -2]]}, "clock-backwards"),
        ({"end": 8}, "clock-backwards"),
        ({"spans": [["spine", 0, 1, 2]]}, "unknown-span"),
    ],
)
def test_what_cannot_be_a_generation_has_a_name(changes, name):
    with pytest.raises(BatchBrokenError) as caught:
        told(**changes)
    assert caught.value.name == name
