"""The page of a small real run."""

from __future__ import annotations

import pandas as pd
import pytest

import calm_eval


def test_page_and_summary_tell_the_same(tone_suite, tmp_path) -> None:
    run = calm_eval.evaluate(suites=str(tone_suite(4, title="Tones | <b>loud</b>")), out=tmp_path / "run")
    page = (tmp_path / "run" / "report.md").read_text()
    assert "## Tones \\| &lt;b&gt;loud&lt;/b&gt;" in page
    # A sine at half of full scale: 0.5 / sqrt 2, whatever its pitch.
    table = pd.read_csv(tmp_path / "run" / "summary.csv")
    level = table[(table["variant"] == "demo-sine") & (table["metric"] == "demo_level")].iloc[0]
    assert level["value"] == pytest.approx(0.5 / 2**0.5, abs=2e-3)
    assert level["low"] <= level["value"] + 1e-9
    assert level["value"] <= level["high"] + 1e-9
    assert "| demo-sine | 0.35" in page
    assert "| *reference* |" in page
    assert "BCa bootstrap over items" in page
    here, read = (frame.astype(object).where(frame.notna(), None) for frame in (run.summary(), table))
    pd.testing.assert_frame_equal(here, read, check_dtype=False)
