"""Step time and the head's share, from spans written by hand."""

import pytest

from calm_eval.metrics.protocol import SampleView
from calm_eval.metrics.step_parts import HEAD_SHARE, STEP_TIME, part_times

MS = 1_000_000
SPANS = (
    ("prefill", 0, 50 * MS),
    *[(part, step, spent * MS) for step in range(4) for part, spent in (("head", 2), ("codec", 1), ("step", 9))],
    *[("backbone", step, 6 * MS) for step in range(3)],
)


def view(**changes):
    return SampleView(**{"failure": None, "seconds": 0.32, "generate_seconds": 0.08, "spans": SPANS, **changes})


def test_prefill_and_whole_steps_are_no_part_and_the_last_frame_needs_no_backbone():
    assert part_times(SPANS) == ({"backbone": 18 * MS, "head": 8 * MS, "codec": 4 * MS, "other": 0}, 4)
    step = STEP_TIME.measure(view())
    assert step.numerator / step.denominator * STEP_TIME.spec.scale == pytest.approx(30 / 4)
    head = HEAD_SHARE.measure(view())
    assert head.numerator / head.denominator == pytest.approx(8 / 30)


@pytest.mark.parametrize("metric", [STEP_TIME, HEAD_SHARE])
def test_what_has_no_spans_has_no_value(metric):
    assert metric.measure(view(spans=())).refused == "no-spans"
    assert metric.measure(view(spans=SPANS[:1])).refused == "no-spans"
    assert metric.measure(view(generate_seconds=None)).refused == "not-timed"
    assert metric.measure(view(failure="crash")).refused == "crash"
