"""Signal metrics take their own score, and the judge's reason where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.judges.protocol import Judgement
from calm_eval.judges.signal import SignalJudge
from calm_eval.metrics.protocol import ItemValue, SampleView
from calm_eval.metrics.signal import (
    BANDWIDTH,
    CLIPPING_SHARE,
    DC_OFFSET,
    LEVEL,
    LOOP_STRENGTH,
    PEAK,
    SILENCE_SHARE,
)

ALL = [BANDWIDTH, CLIPPING_SHARE, DC_OFFSET, LEVEL, LOOP_STRENGTH, PEAK, SILENCE_SHARE]


def view(audio: np.ndarray) -> SampleView:
    return SampleView(failure=None, judgements={"sample": SignalJudge().judge([audio.astype(np.float32)])[0]})


def test_a_sine_with_an_offset() -> None:
    sound = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(3 * 48000) / 48000) - 0.25
    seen = view(sound)
    peak = 20 * np.log10(0.75)
    truths = [(BANDWIDTH, 1000), (CLIPPING_SHARE, 0), (DC_OFFSET, 0.25), (SILENCE_SHARE, 0), (PEAK, peak)]
    for metric, truth in truths:
        assert metric.measure(seen).numerator == pytest.approx(truth, abs=1e-6)
        assert metric.measure(seen).denominator == 1
    # 0.25^2 of the offset and 0.5^2 / 2 of the sine.
    assert LEVEL.measure(seen).numerator == pytest.approx(10 * np.log10(0.0625 + 0.125), abs=1e-4)


def test_silence_is_scored_where_it_has_a_value() -> None:
    silent = view(np.zeros(3 * 48000))
    assert SILENCE_SHARE.measure(silent) == ItemValue(1.0, 1.0)
    assert LOOP_STRENGTH.measure(silent) == ItemValue(0.0, 1.0)
    for metric in (PEAK, LEVEL, BANDWIDTH):
        assert metric.measure(silent) == ItemValue(refused="judge:silent")
    assert LOOP_STRENGTH.measure(view(np.ones(48000))) == ItemValue(refused="judge:too-short")


@pytest.mark.parametrize("metric", ALL)
def test_failures_and_refusals_keep_their_names(metric) -> None:
    assert metric.measure(SampleView(failure="crash")) == ItemValue(refused="crash")
    refused = SampleView(failure=None, judgements={"sample": Judgement(refused="nan")})
    assert metric.measure(refused) == ItemValue(refused="judge:nan")
    other = SampleView(failure=None, judgements={"sample": Judgement(scores={"ovrl": 3.0})})
    assert metric.measure(other) == ItemValue(refused="judge:no-value")


def test_names_are_unique_and_lean_on_the_judge() -> None:
    assert len({metric.spec.name for metric in ALL}) == len(ALL)
    assert {metric.spec.judge for metric in ALL} == {"signal"}
    assert [metric.spec.name for metric in ALL if metric.spec.higher_is_better] == ["bandwidth_hz"]
