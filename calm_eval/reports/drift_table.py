"""Drift curves as a table and a plot: how a metric moves with the position in the clip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from calm_eval.reports.markdown import escape, table
from calm_eval.reports.rounding import with_interval
from calm_eval.reports.style import COLOURS, DASHES, GREY, MARKERS, axis_title, look, new_figure, save
from calm_eval.runs.drift import Curve


def drift_table(curves: Sequence[Curve]) -> str:
    """One metric: a row a variant, a column a window, and the paired change from first to last."""
    bound = curves[0].metric
    seconds = bound.use.drift or 0.0
    longest = max(len(curve.points) for curve in curves)
    header = ["", *[f"{place * seconds:g}–{(place + 1) * seconds:g} s" for place in range(longest)], "last less first"]
    rows = []
    for curve in curves:
        cells = [f"*{escape(curve.variant.name)}*" if curve.variant.control else escape(curve.variant.name)]
        for place in range(longest):
            cells.append(_cell(curve, place, bound.spec.scale))
        low, high = curve.change_interval or (None, None)
        change = "–" if curve.change is None else with_interval(curve.change, low, high, scale=bound.spec.scale)
        rows.append([*cells, f"{change} (n = {curve.n_changes})" if curve.change is not None else change])
    return table(header, rows)


def _cell(curve: Curve, place: int, scale: float) -> str:
    value = curve.points[place].value if place < len(curve.points) else None
    if value is None:
        return "–"
    point, interval = curve.points[place], curve.intervals[place] or (None, None)
    text = with_interval(value, *interval, scale=scale)
    return text + (f" ({point.n_scored}/{point.n_expected})" if point.n_scored < point.n_expected else "")


def drift_plot(curves: Sequence[Curve], stem: Path) -> None:
    """Draw `stem.svg` and `stem.png`: the middle of each window on the axis, intervals as bars, controls in grey."""
    bound = curves[0].metric
    spec, seconds = bound.spec, bound.use.drift or 0.0
    with look():
        figure, axes = new_figure(6.8, max(3.4, 1.6 + 0.18 * len(curves)))
        systems = [curve for curve in curves if not curve.variant.control]
        controls = [curve for curve in curves if curve.variant.control]
        for group, of_controls in ((systems, False), (controls, True)):
            for number, curve in enumerate(group):
                shown = [
                    (point, interval)
                    for point, interval in zip(curve.points, curve.intervals, strict=True)
                    if point.value is not None
                ]
                xs = [(point.window + 0.5) * seconds for point, _ in shown]
                ys = [spec.scale * float(point.value or 0.0) for point, _ in shown]
                below = [y - spec.scale * one[0] if one else 0.0 for y, (_, one) in zip(ys, shown, strict=True)]
                above = [spec.scale * one[1] - y if one else 0.0 for y, (_, one) in zip(ys, shown, strict=True)]
                axes.errorbar(
                    xs,
                    ys,
                    yerr=[[max(0.0, one) for one in below], [max(0.0, one) for one in above]],
                    label=curve.variant.name,
                    color=GREY if of_controls else COLOURS[number % len(COLOURS)],
                    marker="" if of_controls else MARKERS[number % len(MARKERS)],
                    linestyle=DASHES[number % len(DASHES)] if of_controls else "-",
                    markersize=4,
                    linewidth=1.2,
                    elinewidth=0.8,
                    capsize=2,
                )
        axes.set_xlabel("position in the clip (s)")
        axes.set_ylabel(axis_title(spec.title, spec))
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
        save(figure, stem)
