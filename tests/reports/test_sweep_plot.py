"""The sweep figure: a panel a parameter, the points that belong there, and the same bytes for the same numbers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from matplotlib.image import imread

from calm_eval.reports import sweep_plot as module
from calm_eval.reports.sweep_plot import sweep_lines, sweep_plot


@pytest.fixture
def cells(variant, cell):
    def row(name, value, low, high, family="continuous", **sampling):
        one = dataclasses.replace(variant(name), family=family, sampling=sampling)
        return cell(one, "wer", value, low, high)

    return [
        row("calm", 0.30, 0.25, 0.35, steps=1, temperature=0.8),
        row("calm steps=4", 0.20, 0.15, 0.25, steps=4, temperature=0.8),
        row("calm steps=2", 0.25, 0.2, 0.3, steps=2, temperature=0.8),
        row("calm temperature=1", 0.4, 0.3, 0.5, steps=1, temperature=1.0),
        row("calm steps=4 temperature=1", 0.9, 0.8, 1.0, steps=4, temperature=1.0),
        row("rq", 0.22, 0.2, 0.28, "discrete", temperature=0.7, mode="plain"),
        row("rq temperature=1", 0.26, 0.2, 0.3, "discrete", temperature=1.0, mode="plain"),
        row("rq mode=odd", 0.5, 0.4, 0.6, "discrete", temperature=0.7, mode="odd"),
        row("piper", 0.1, 0.05, 0.15, "other", speed=1.0),
        cell(variant("reference", control=True), "wer", 0.12, 0.1, 0.14),
    ]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list:
    """The figures that were saved, still saved for real."""
    figures: list = []
    save = module.save
    monkeypatch.setattr(module, "save", lambda figure, stem: (figures.append(figure), save(figure, stem)))
    return figures


def test_each_parameter_alone_around_the_default(cells) -> None:
    panels = sweep_lines(cells)
    found = {
        name: {line.system: [(x, one.estimate.value) for x, one in line.points] for line in lines}
        for name, lines in panels.items()
    }
    assert found == {
        "steps": {"calm": [(1, 0.30), (2, 0.25), (4, 0.20)]},
        "temperature": {"calm": [(0.8, 0.30), (1.0, 0.4)], "rq": [(0.7, 0.22), (1.0, 0.26)]},
    }
    assert [line.default for line in panels["temperature"]] == [0.8, 0.7]


def test_panels_points_ticks_and_the_near_reference(cells, drawn, tmp_path: Path) -> None:
    assert sweep_plot(cells, "wer", tmp_path / "plot")
    steps, temperature = drawn[0].axes
    assert (steps.get_xlabel(), temperature.get_xlabel()) == ("steps", "temperature")
    assert steps.get_xscale() == "log"
    assert list(steps.get_xticks()) == [1, 2, 4]
    assert list(temperature.get_xticks()) == [0.7, 0.8, 1.0]
    points = [(list(line.get_xdata()), [round(y, 9) for y in line.get_ydata()]) for line in steps.lines]
    assert ([1, 2, 4], [30, 25, 20]) in points
    assert any(list(line.get_ydata()) == [12, 12] for line in temperature.lines)
    labels = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert labels == ["calm (continuous)", "rq (discrete)", "reference (control)"]
    low, high = steps.get_ylim()
    assert low < 12 < 50 < high
    assert temperature.get_ylim() == (low, high)


def test_a_far_reference_is_named_and_does_not_set_the_axis(cells, variant, cell, drawn, tmp_path: Path) -> None:
    far = [*cells[:-1], cell(variant("reference", control=True), "wer", 3.0)]
    assert sweep_plot(far, "wer", tmp_path / "plot")
    assert drawn[0].get_suptitle() == "↑ beyond the axis (%): reference 300"
    assert drawn[0].axes[0].get_ylim()[1] < 60
    assert len(drawn[0].legends[0].get_texts()) == 2


def test_the_legend_stands_clear_of_the_panels(cells, drawn, tmp_path: Path) -> None:
    sweep_plot(cells, "wer", tmp_path / "plot")
    legend = drawn[0].legends[0].get_window_extent()
    assert legend.y0 >= 0
    assert all(axes.get_tightbbox().y0 >= legend.y1 - 1 for axes in drawn[0].axes)


def test_same_numbers_same_bytes(cells, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert sweep_plot(cells, "wer", tmp_path / name)
    for kind in ("svg", "png"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    assert imread(tmp_path / "one.png").ndim == 3


def test_nothing_swept_nothing_drawn(cells, tmp_path: Path) -> None:
    assert sweep_plot([cells[0], *cells[-2:]], "wer", tmp_path / "plot") is False
    assert sweep_plot(cells, "rtf", tmp_path / "plot") is False
    assert list(tmp_path.iterdir()) == []


def test_rows_without_a_value_and_intervals_without_width(variant, cell, tmp_path: Path) -> None:
    def row(name, value, steps):
        return cell(dataclasses.replace(variant(name), sampling={"steps": steps}), "wer", value, value, value)

    flat = [row("a", 0.0, 1), row("a steps=2", 0.0, 2), row("a steps=4", None, 4)]
    assert sweep_plot(flat, "wer", tmp_path / "flat")
    assert sweep_lines(flat[1:]) == {}
