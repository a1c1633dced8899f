"""Nightly runs noted in a baseline's folder, and what the series says."""

from __future__ import annotations

import json

import pytest

from calm_eval.cli import main
from calm_eval.gate.trend import trends
from calm_eval.gate.trend_plot import trend_plot


@pytest.fixture
def noted(make, baseline):
    """A baseline with one noted run whose value is then repeated with the given factors, as so many nights would."""
    run = make("night")
    assert main(["baseline", "note", str(run.folder), "--to", str(baseline)]) == 0
    path = baseline / "nightly.jsonl"
    line = json.loads(path.read_text())

    def nights(factors):
        lines = []
        for factor in factors:
            told = json.loads(json.dumps(line))
            for one in told["values"]:
                one["value"] = one["value"] * factor if one["value"] is not None else None
            lines.append(json.dumps(told))
        path.write_text("\n".join(lines) + "\n")
        return baseline

    return nights


def test_a_series_that_stays_is_inside(noted) -> None:
    first, _ = trends(noted([1.00, 1.01, 0.99, 1.00, 1.01, 0.99, 1.00]))
    assert len(first.values) == 7
    assert first.values[0] == pytest.approx(first.baseline)
    assert not first.outside
    assert first.change.p > 0.3


def test_a_fall_is_outside_and_a_step_has_its_place(noted, tmp_path, capsys) -> None:
    folder = noted([1.00, 1.01, 0.99, 1.00, 1.01, 0.80, 0.81, 0.79, 0.80, 0.81, 0.40])
    first, second = trends(folder)
    assert first.outside
    assert first.change.place == 5
    assert first.change.before == pytest.approx(1.002 * first.baseline)
    assert main(["baseline", "trend", str(folder), "--out", str(tmp_path / "trend")]) == 0
    page = capsys.readouterr().out
    assert "| tones | hum | Level (RMS) ↑ | 11 | " in page
    assert "| **outside** | " in page
    assert " at run 6 | 0." in page
    assert (tmp_path / "trend.svg").is_file()
    assert trend_plot([first, second], tmp_path / "again")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "trend.png").read_bytes()


def test_other_items_are_no_part_of_a_series(make, noted, capsys) -> None:
    folder = noted([1.0, 1.0])
    assert main(["baseline", "note", str(make("short", limit=3).folder), "--to", str(folder)]) == 0
    first, _ = trends(folder)
    assert (len(first.values), first.left_out) == (2, 1)
    assert main(["baseline", "trend", str(folder)]) == 0
    assert "are no part of a series: 1 for tones: hum, demo\\_level" in capsys.readouterr().out.replace(
        "demo_", "demo\\_"
    )


def test_without_a_noted_run(baseline, tmp_path, capsys) -> None:
    assert main(["baseline", "trend", str(baseline)]) == 2
    assert "no run was noted here; calm-eval baseline note RUN --to" in capsys.readouterr().err
