"""The series of nightly values as a figure: one panel a gate, with the baseline and where the last should lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from calm_eval.gate.trend import Trend
from calm_eval.reports.style import COLOURS, GREY, axis_title, look, new_figure, save

SURE = 0.01
"""A move of the level is drawn from this p-value on."""


def trend_plot(found: Sequence[Trend], stem: Path) -> bool:
    """Write `stem.svg` and `stem.png`; False and nothing where no series has a value."""
    shown = [one for one in found if one.values]
    if not shown:
        return False
    with look():
        figure, first = new_figure(6.4, 0.6 + 2.0 * len(shown))
        first.remove()
        panels = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
        for axes, one in zip(panels, shown, strict=True):
            _panel(axes, one)
        panels[-1].set_xlabel("run, oldest first")
        save(figure, stem)
    return True


def _panel(axes: Any, one: Trend) -> None:
    count = len(one.values)
    places = range(1, count + 1)
    if one.baseline is not None:
        axes.axhline(one.baseline, color=GREY, linewidth=1, dashes=(4, 2), label="baseline")
    if one.bounds is not None:
        low, high = one.bounds
        axes.fill_between([count - 0.4, count + 0.4], low, high, color=COLOURS[5], alpha=0.35, linewidth=0)
        axes.plot([], [], color=COLOURS[5], alpha=0.5, linewidth=6, label="where the last should lie")
    axes.plot(places, one.values, color=COLOURS[1], marker="o", markersize=3.5, linewidth=1)
    if one.outside:
        axes.plot(count, one.values[-1], marker="o", markersize=8, markerfacecolor="none", markeredgecolor=COLOURS[2],
                  markeredgewidth=1.6, linestyle="none", label="outside")  # fmt: skip
    if one.change is not None and one.change.p <= SURE:
        axes.axvline(
            one.change.place + 0.5, color=COLOURS[2], linewidth=1.2, label=f"level moved (p = {one.change.p:.2g})"
        )
    axes.set_title(f"{one.gate.suite}: {one.gate.row}", fontsize=9, loc="left")
    axes.set_ylabel(axis_title(one.spec.title, one.spec).replace(", ", ",\n"), fontsize=8)
    axes.set_xlim(0.4, count + 0.6)
    axes.xaxis.get_major_locator().set_params(integer=True)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8)
