"""The plot: same numbers, same bytes; nothing drawn hides or squashes the systems."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from calm_eval.reports import quality_speed_plot as module
from calm_eval.reports.quality_speed_plot import few_rows, quality_speed_plot
from calm_eval.reports.style import COLOURS, MARKERS


@pytest.fixture
def cells(variant, cell):
    rows = [
        ("piper", 0.049, 0.028, 0.086, 0.06),
        ("espeak", 0.13, 0.10, 0.17, 0.02),
        ("pi 2", 0.052, 0.03, 0.09, 0.061),
    ]
    made = []
    for name, value, low, high, speed in rows:
        made += [
            cell(variant(name), "wer", value, low, high),
            cell(variant(name), "rtf", speed, 0.98 * speed, 1.03 * speed),
        ]
    for name, value in (("reference", 0.12), ("noise", 0.35), ("silence", 1.0), ("shuffled", 1.18)):
        made.append(cell(variant(name, control=True), "wer", value, 0.9 * value, 1.1 * value))
    return made


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list:
    """The figures that were saved, still saved for real."""
    figures: list = []
    save = module.save
    monkeypatch.setattr(module, "save", lambda figure, stem: (figures.append(figure), save(figure, stem)))
    return figures


def test_same_numbers_same_bytes_whatever_the_user_set(cells, tmp_path: Path) -> None:
    assert quality_speed_plot(cells, "wer", tmp_path / "one")
    with mpl.rc_context({"font.size": 20, "axes.grid": False, "savefig.dpi": 50, "lines.linewidth": 9}):
        assert quality_speed_plot(cells, "wer", tmp_path / "two")
    for kind in ("svg", "png"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()


def test_other_numbers_other_bytes(cells, variant, cell, tmp_path: Path) -> None:
    quality_speed_plot(cells, "wer", tmp_path / "one")
    quality_speed_plot([cell(variant("piper"), "wer", 0.06), *cells[1:]], "wer", tmp_path / "two")
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "two.png").read_bytes()


def test_files_are_pictures(cells, tmp_path: Path) -> None:
    quality_speed_plot(cells, "wer", tmp_path / "plot")
    height, width, _ = imread(tmp_path / "plot.png").shape
    assert (width, height) == (1360, 760)
    assert ElementTree.parse(tmp_path / "plot.svg").getroot().tag.endswith("svg")
    assert b"<dc:date>" not in (tmp_path / "plot.svg").read_bytes()


def test_leaves_the_users_settings_alone(cells, tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    quality_speed_plot(cells, "wer", tmp_path / "plot")
    assert dict(mpl.rcParams) == before


def test_nothing_timed_nothing_drawn(variant, cell, tmp_path: Path) -> None:
    silent = [cell(variant("silence", control=True), "wer", 1.0), cell(variant("silence", control=True), "rtf", None)]
    lost = [cell(variant("lost"), "wer", None, scored=0), cell(variant("lost"), "rtf", 0.1)]
    assert quality_speed_plot([*silent, *lost], "wer", tmp_path / "plot") is False
    assert quality_speed_plot([], "wer", tmp_path / "plot") is False
    assert list(tmp_path.iterdir()) == []


def test_far_controls_are_named_and_do_not_set_the_axis(cells, drawn, tmp_path: Path) -> None:
    quality_speed_plot(cells, "wer", tmp_path / "plot")
    axes = drawn[0].axes[0]
    assert axes.get_ylim() == pytest.approx((0, 17 * 1.06))
    assert axes.get_title(loc="left") == "↑ beyond the axis (%): noise 35, silence 100, shuffled 118"
    labels = [text.get_text() for text in drawn[0].legends[0].get_texts()]
    assert labels == ["piper", "espeak", "pi 2", "reference, control"]
    for x, y in ((0.06, 4.9), (0.02, 13.0)):
        assert any(list(line.get_xdata()) == [x] and line.get_ydata()[0] == pytest.approx(y) for line in axes.lines)


def test_legend_title_and_axes_do_not_overlap(cells, drawn, tmp_path: Path) -> None:
    quality_speed_plot(cells, "wer", tmp_path / "plot")
    figure = drawn[0]
    legend, axes = figure.legends[0].get_window_extent(), figure.axes[0].get_window_extent()
    assert legend.x0 > axes.x1
    assert legend.x1 <= figure.bbox.x1
    assert figure.axes[0]._left_title.get_window_extent().y0 >= axes.y1


def test_higher_is_better_names_what_lies_below(variant, cell, drawn, tmp_path: Path) -> None:
    cells = [cell(variant("a"), "speaker_similarity", 0.8, 0.78, 0.82), cell(variant("a"), "rtf", 0.1, 0.09, 0.11)]
    cells += [cell(variant("b"), "speaker_similarity", 0.7, 0.66, 0.74), cell(variant("b"), "rtf", 0.3)]
    cells += [cell(variant("other", control=True), "speaker_similarity", -0.1)]
    cells += [cell(variant("folder"), "speaker_similarity", 0.99, scored=39)]
    assert quality_speed_plot(cells, "speaker_similarity", tmp_path / "plot")
    axes = drawn[0].axes[0]
    assert axes.get_title(loc="left") == (
        "↑ beyond the axis (cosine): folder 0.99 (not timed)\n↓ beyond the axis (cosine): other -0.1"
    )
    assert axes.get_ylim() == pytest.approx((0.66 - 0.0096, 0.82 + 0.0096))
    assert "higher is better" in axes.get_ylabel()


def test_of_many_rows_the_defaults_are_drawn(variant, cell) -> None:
    rows = [variant("calm"), *[variant(f"calm temperature={number}") for number in range(8)], variant("piper")]
    rows = [replace(row, system=row.name.split()[0]) for row in rows]
    told = replace(variant("calm-shuffled", control=True), identity={"control": "shuffled"})
    cells = [cell(row, "wer", 0.1) for row in [*rows, told, variant("reference", control=True)]]
    assert [one.variant.name for one in few_rows(cells)] == ["calm", "piper", "reference"]
    assert few_rows(cells[:8]) == cells[:8]


def test_many_rows_are_told_apart_and_fit(variant, cell, drawn, tmp_path: Path) -> None:
    cells = []
    for number in range(20):
        row = variant(f"calm temperature={number / 10} guidance={number} a_long_option=something")
        cells += [cell(row, "wer", 0.05 + number / 500, 0.04, 0.1), cell(row, "rtf", 0.1 + number / 100)]
    quality_speed_plot(cells, "wer", tmp_path / "plot")
    axes = drawn[0].axes[0]
    points = [line for line in axes.lines if line.get_marker() in MARKERS]
    looks = {(line.get_marker(), line.get_color(), line.get_markerfacecolor()) for line in points}
    assert len(points) == len(looks) == 20
    grey = {(line.get_marker(), line.get_markerfacecolor() == "white") for line in points}
    assert len(grey) == 20
    legend = drawn[0].legends[0].get_window_extent()
    assert legend.y0 >= 0
    assert axes.get_window_extent().width > 300


def test_names_are_no_formulas(variant, cell, drawn, tmp_path: Path) -> None:
    # As a formula the second one is malformed and could not be drawn at all.
    for name in ("a$b_{c}$d <x> & y", "a$\\frac$"):
        row = variant(name)
        assert quality_speed_plot([cell(row, "wer", 0.1), cell(row, "rtf", 0.1)], "wer", tmp_path / "plot")
        assert drawn[-1].legends[0].get_texts()[0].get_text() == name


def test_perfect_systems_have_an_axis(variant, cell, tmp_path: Path, recwarn) -> None:
    row = variant("perfect")
    cells = [cell(row, "wer", 0.0, 0.0, 0.0), cell(row, "rtf", 0.1, 0.1, 0.1)]
    assert quality_speed_plot(cells, "wer", tmp_path / "plot")
    assert not list(recwarn)


@pytest.mark.parametrize("speed", [0.0013, 0.034, 0.06, 0.3, 0.7, 7.0])
def test_a_single_speed_has_numbers_on_its_axis(variant, cell, drawn, tmp_path: Path, speed: float) -> None:
    row = variant("piper")
    quality_speed_plot([cell(row, "wer", 0.1, 0.05, 0.2), cell(row, "rtf", speed)], "wer", tmp_path / "plot")
    axis = drawn[0].axes[0].xaxis
    low, high = axis.get_view_interval()
    shown = [tick for tick in axis.get_majorticklocs() if low <= tick <= high]
    assert len(shown) >= 2
    assert low < speed < high


def test_missing_samples_are_told(variant, cell, drawn, tmp_path: Path) -> None:
    row = variant("piper")
    cells = [cell(row, "wer", 0.1, 0.05, 0.2, scored=38), cell(row, "rtf", 0.1, 0.09, 0.11, scored=38)]
    quality_speed_plot(cells, "wer", tmp_path / "plot")
    assert drawn[0].legends[0].get_texts()[0].get_text() == "piper (38/40)"


def test_colours_are_told_apart_by_the_colour_blind() -> None:
    """Simulated deuteranopia and protanopia (Machado et al. 2009, severity 1.0) on neighbours in the list."""
    deutan = np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]])
    protan = np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    )

    def linear(colour: str) -> np.ndarray:
        rgb = np.array(to_rgb(colour))
        return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)

    for matrix in (deutan, protan):
        seen = [np.clip(matrix @ linear(colour), 0, 1) ** (1 / 2.2) for colour in COLOURS]
        for first, second in itertools.pairwise([*seen, seen[0]]):
            assert np.linalg.norm(first - second) > 0.4
