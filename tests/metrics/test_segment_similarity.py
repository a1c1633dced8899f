"""Speaker similarity in segments by closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.protocol import SampleView
from calm_eval.metrics.segment_similarity import SPEAKER_SIMILARITY_TTS_LONGEVAL as METRIC
from calm_eval.metrics.segment_similarity import weighted_cosine


def voices(*rows: list[float], seconds: list[float] | None = None) -> Judgement:
    notes = {} if seconds is None else {"seconds": seconds}
    return Judgement(vectors=np.array(rows, dtype=np.float32), notes=notes)


def test_cosines_count_by_duration() -> None:
    sample = voices([3, 4], [8, 6], seconds=[30.0, 10.0])
    value = METRIC.measure(SampleView(None, judgements={"sample": sample, "prompt": voices([2, 0], seconds=[3.0])}))
    assert value.numerator == pytest.approx((30 * 0.6 + 10 * 0.8) / 40)
    # Not the cosine of a mean: a loud vector of one segment would count for more.
    assert value.numerator != pytest.approx(11 / np.hypot(11, 10), abs=1e-3)
    one = METRIC.measure(SampleView(None, judgements={"sample": voices([3, 4]), "prompt": voices([4, 3])}))
    assert one.numerator == pytest.approx(24 / 25)


def test_what_has_no_value() -> None:
    sample, prompt = voices([1, 0]), voices([1, 0])
    told = {
        "crash": SampleView("crash"),
        "no-prompt": SampleView(None, judgements={"sample": sample}),
        "judge:too-short": SampleView(None, judgements={"sample": Judgement(refused="too-short"), "prompt": prompt}),
        "prompt:silent": SampleView(None, judgements={"sample": sample, "prompt": Judgement(refused="silent")}),
        "judge:no-seconds": SampleView(None, judgements={"sample": voices([1, 0], [0, 1]), "prompt": prompt}),
        "prompt:several-segments": SampleView(None, judgements={"sample": sample, "prompt": voices([1, 0], [0, 1])}),
    }
    for name, view in told.items():
        assert METRIC.measure(view).refused == name
    with pytest.raises(ValueError, match="2 segments with 1 durations"):
        weighted_cosine([[1, 0], [0, 1]], [1.0], [1, 0])
