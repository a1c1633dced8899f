"""Metrics in windows: a metric's curve over the position in the clip."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
import yaml

from calm_eval import evaluate
from calm_eval.errors import InputError

DRIFT = [{"name": "demo_level", "drift": 0.5}]


@pytest.fixture
def fading(tmp_path, tone_suite):
    """Four recorded tones that lose half their level each half second: 2 s, 2 s, 2.2 s and 0.9 s long."""
    (tmp_path / "made").mkdir()
    for number, seconds in enumerate((2.0, 2.0, 2.2, 0.9)):
        times = np.arange(round(seconds * 16000)) / 16000
        tone = 0.8 * 0.5 ** np.floor(2 * times) * np.sin(2 * np.pi * 400 * times)
        soundfile.write(tmp_path / "made" / f"item-{number}.wav", tone, 16000, subtype="FLOAT")
    (tmp_path / "made.yaml").write_text(yaml.safe_dump({"name": "made", "folder": "made"}))

    def run(metrics=DRIFT, systems=None, n=4):
        return evaluate(
            str(tone_suite(n, metrics=metrics)), systems or [str(tmp_path / "made.yaml")], out=tmp_path / "run"
        )

    return run


def test_each_window_is_judged_by_itself(fading, tmp_path):
    (curve,) = fading().drift()
    # RMS of a sine of amplitude a is a / sqrt(2); a rest shorter than a window is left out.
    expected = [0.8 / np.sqrt(2) * 0.5**place for place in range(4)]
    assert [point.value for point in curve.points] == pytest.approx(expected, rel=1e-4)
    assert [point.n_expected for point in curve.points] == [4, 3, 3, 3]
    assert all(low <= point.value <= high for point, (low, high) in zip(curve.points, curve.intervals, strict=True))
    # Only clips of two windows or more tell of a change: from the first to the fourth in three clips.
    assert curve.n_changes == 3
    assert curve.change == pytest.approx(expected[3] - expected[0], rel=1e-4)
    report = (tmp_path / "run" / "report.md").read_text()
    assert "### Level over the clip" in report
    assert "0–0.5 s" in report
    assert "(n = 3)" in report
    assert (tmp_path / "run" / "figures" / "tones-drift-demo_level.png").stat().st_size > 5000


def test_windows_are_judged_once_and_the_whole_is_the_same_number(fading):
    first = fading()
    # Two of the four sounds are one: three whole, and 4 + 4 + 1 windows.
    assert first.invocations()["judged"].tolist() == [12]
    assert fading().invocations()["judged"].tolist() == [12, 0]
    plain = fading(metrics=["demo_level"])
    assert plain.invocations()["judged"].tolist() == [12, 0, 0]
    assert plain.drift() == []
    assert (
        plain.summary().loc[0, ["value", "fingerprint"]].tolist()
        == first.summary().loc[0, ["value", "fingerprint"]].tolist()
    )


def test_another_width_is_another_curve(fading):
    fading()
    (curve,) = fading(metrics=[{"name": "demo_level", "drift": 1.0}]).drift()
    assert len(curve.points) == 2
    assert curve.points[0].n_expected == 3
    assert curve.points[0].value == pytest.approx(np.sqrt((0.32 + 0.08) / 2), rel=1e-4)


def test_what_no_window_can_be_asked_for_has_no_drift(fading, tone_suite, tmp_path):
    for name in ("rtf", "demo_power", "demo_pair"):
        with pytest.raises(InputError, match=f"'{name}' has no drift"):
            evaluate(str(tone_suite(2, metrics=[{"name": name, "drift": 1.0}])), ["demo-sine"], out=tmp_path / "b")
    narrow = str(tone_suite(2, metrics=[{"name": "demo_level", "drift": 0.01}]))
    with pytest.raises(InputError, match=r"greater than or equal to 0\.1"):
        evaluate(narrow, ["demo-sine"], out=tmp_path / "c")


def test_a_failed_sample_has_no_window(fading, tmp_path):
    (tmp_path / "made" / "item-2.wav").write_text("no audio")
    run = fading()
    (curve,) = run.drift()
    assert [point.n_expected for point in curve.points] == [3, 2, 2, 2]
    assert json.loads(run.summary().loc[0, "failures"]) == {"unreadable": 1}
