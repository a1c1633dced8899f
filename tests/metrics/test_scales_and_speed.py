"""DNSMOS picks its scale and refuses by name; speeds are what the clock said."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.errors import InputError
from calm_eval.judges.protocol import Judgement
from calm_eval.metrics import METRICS
from calm_eval.metrics.bound import make_metric
from calm_eval.metrics.dnsmos import BACKGROUND, OVERALL, P808, SIGNAL
from calm_eval.metrics.protocol import ItemValue, SampleView
from calm_eval.metrics.speed import FIRST_AUDIO, REAL_TIME_FACTOR
from calm_eval.specs.suite import MetricUse


def test_each_scale_takes_its_own_score() -> None:
    view = SampleView(failure=None, judgements={"sample": Judgement(scores={"ovrl": 1, "sig": 2, "bak": 3, "p808": 4})})
    values = [metric.measure(view) for metric in (OVERALL, SIGNAL, BACKGROUND, P808)]
    assert [(value.numerator, value.denominator) for value in values] == [(1, 1), (2, 1), (3, 1), (4, 1)]


def test_dnsmos_refusals() -> None:
    silent = SampleView(failure=None, judgements={"sample": Judgement(refused="silent")})
    assert OVERALL.measure(silent) == ItemValue(refused="judge:silent")
    for failure in ("empty", "nan", "crash"):
        assert OVERALL.measure(SampleView(failure=failure)) == ItemValue(refused=failure)


def timed(seconds: float, generate: float, first: float) -> SampleView:
    return SampleView(failure=None, seconds=seconds, generate_seconds=generate, first_audio_seconds=first)


def test_real_time_factor_weighs_clips_by_their_length() -> None:
    values = [REAL_TIME_FACTOR.measure(view) for view in (timed(9.0, 0.9, 0.1), timed(1.0, 1.0, 0.3))]
    together = sum(value.numerator for value in values) / sum(value.denominator for value in values)
    assert together == pytest.approx(1.9 / 10)
    assert together != pytest.approx(np.mean([0.1, 1.0]))
    assert REAL_TIME_FACTOR.spec.kind == "ratio"


def test_first_audio_is_a_mean_in_seconds_shown_in_milliseconds() -> None:
    values = [FIRST_AUDIO.measure(view) for view in (timed(9.0, 0.9, 0.1), timed(1.0, 1.0, 0.3))]
    assert [(value.numerator, value.denominator) for value in values] == [(0.1, 1), (0.3, 1)]
    assert (FIRST_AUDIO.spec.kind, FIRST_AUDIO.spec.unit, FIRST_AUDIO.spec.scale) == ("item", "ms", 1000)


@pytest.mark.parametrize("metric", [REAL_TIME_FACTOR, FIRST_AUDIO])
def test_what_was_not_timed_has_no_speed(metric) -> None:
    assert metric.measure(SampleView(failure=None, seconds=3.0)) == ItemValue(refused="not-timed")
    assert metric.measure(SampleView(failure="timeout", generate_seconds=9.0)) == ItemValue(refused="timeout")


def test_no_audio_has_no_real_time_factor() -> None:
    assert REAL_TIME_FACTOR.measure(timed(0.0, 1.0, 1.0)) == ItemValue(refused="empty")


def test_every_registered_metric_is_well_described() -> None:
    for name in METRICS.targets():
        try:
            spec = make_metric(MetricUse(name=name)).spec
        except InputError:
            continue  # a family that needs options
        assert spec.version >= 1
        assert spec.low is None or spec.high is None or spec.low < spec.high
        if name in METRICS._builtin:
            assert spec.name == name
            assert spec.definition
