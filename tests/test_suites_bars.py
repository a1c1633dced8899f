"""The pure parts of the bars of the suites: lines, forecasts, and what a report says."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def bars() -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield {name: importlib.import_module(name) for name in ("suites_forecast", "suites_heads", "suites_rows")}


def test_a_line_is_found_with_its_share_of_the_variance(bars):
    line = bars["suites_heads"].line
    exact = line([1, 2, 4], [5, 8, 14])
    assert (exact.slope, exact.start, exact.r_squared) == pytest.approx((3, 2, 1))
    # By hand: slope 1, start 2/3, squared residuals 6/9, squared deviations 24/9.
    loose = line([1, 2, 3], [2, 2, 4])
    assert (loose.slope, loose.start, loose.r_squared) == pytest.approx((1, 2 / 3, 0.75))
    with pytest.raises(ValueError, match="three or more points"):
        line([1, 2], [1, 2])


def test_head_bars_fail_on_a_curve_and_on_a_wrong_count(bars):
    heads = bars["suites_heads"]
    straight = [heads.Point(k, 25.0 * k, 1e6 * k) for k in heads.STEPS]
    assert [bar.passed for bar in heads.judged("a", "steps", 25.0, straight)] == [True, True]
    curved = [heads.Point(k, 25.0 * k, 1e6 * 2**k) for k in heads.STEPS]
    assert [bar.passed for bar in heads.judged("a", "steps", 25.0, curved)] == [True, False]
    miscounted = [heads.Point(k, 25.0 * k + (k == 6), 1e6 * k) for k in heads.STEPS]
    assert [bar.passed for bar in heads.judged("a", "steps", 25.0, miscounted)] == [False, True]


LOG = """\
2026-01-02T10:00:30+00:00 a suite: generate: 3 of 20, about 100 s left
2026-01-02T10:00:40+00:00 forecast after a tenth: 130 s in all
2026-01-02T11:30:00+00:00 forecast after a tenth: 999 s in all
2026-01-02T13:05:00+01:00 forecast after a tenth: at least 80 s in all (judging not yet known)
"""


def test_a_forecast_is_held_to_the_call_that_made_it(bars):
    suites = bars["suites_forecast"]
    calls = [
        suites.Call(datetime(2026, 1, 2, 10, tzinfo=UTC), 100.0),
        suites.Call(datetime(2026, 1, 2, 12, tzinfo=UTC), 400.0),
    ]
    first, second = suites.foretold(LOG, calls)
    assert (first.said, first.took, first.least) == (130.0, 100.0, False)
    assert first.error == pytest.approx(0.3)
    assert (second.said, second.took, second.least) == (80.0, 400.0, True)


REPORT = """\
# run

## One

- one-a with another's prompt: worse on KL, FAD; better on WER.
- one-b steps=2 with another's prompt: not distinguishable.

## Two

- one-a with another's caption: nothing could be tested.
"""


def test_what_a_report_says_is_read_by_suite(bars):
    rows = bars["suites_rows"]
    assert rows.said_of_shuffles(rows.suite_text(REPORT, "One")) == {
        "one-a": ["worse on KL, FAD; better on WER"],
        "one-b steps=2": ["not distinguishable"],
    }
    assert rows.said_of_shuffles(rows.suite_text(REPORT, "Two")) == {"one-a": ["nothing could be tested"]}
    assert rows.suite_text(REPORT, "Three") == ""
