"""What each sampling parameter does: a panel a parameter, a line a system, the metric that the suite picks by.

A line holds a system's default and the rows that move this parameter alone. The reference is a dashed level where it
lies near the systems, else named above the plot.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calm_eval.metrics.protocol import MetricSpec
from calm_eval.reports.rounding import three_digits
from calm_eval.reports.style import COLOURS, DASHES, GREY, MARKERS, axis_title, look, new_figure, save
from calm_eval.runs.aggregate import Cell
from calm_eval.runs.row_order import default_row, moved
from calm_eval.runs.rows import Variant

_NEAR = 0.5
"""The reference is drawn when it lies at most this far outside the systems' range, as a share of that range."""
_DODGE = 2.6
"""Points between neighbouring systems at one value, so that intervals do not hide each other."""
_EDGE = 0.16
"""Room left and right of a panel's values, as a share of their range."""
_PANEL = 2.35
"""Inches of width that a panel takes."""


@dataclass(frozen=True)
class Line:
    """One system in one panel: value of the parameter and cell, by value; `default` is the system's own value."""

    system: str
    points: Sequence[tuple[float, Cell]]
    default: float


def sweep_lines(cells: Sequence[Cell]) -> dict[str, list[Line]]:
    """The lines of each swept parameter, from the cells of one metric; controls and words have none.

    A system is in a panel when at least two of its values have an estimate.
    """
    panels: dict[str, list[Line]] = {}
    by_system: dict[str, list[Cell]] = {}
    for cell in cells:
        if not cell.variant.control:
            by_system.setdefault(cell.variant.system, []).append(cell)
    for system, mine in by_system.items():
        base = default_row([cell.variant for cell in mine])
        for name, default in base.sampling.items():
            if isinstance(default, bool | str):
                continue
            points = [(_number(cell.variant, name), cell) for cell in mine if moved(cell.variant, base) in ([], [name])]
            points = sorted((one for one in points if one[1].estimate.value is not None), key=lambda one: one[0])
            if len({value for value, _ in points}) > 1:
                panels.setdefault(name, []).append(Line(system, points, float(default)))
    return panels


def _number(row: Variant, name: str) -> float:
    return float(row.sampling[name])


def sweep_plot(cells: Sequence[Cell], metric: str, stem: Path) -> bool:
    """Draw `stem.svg` and `stem.png` of the metric with this fingerprint; False where nothing was swept."""
    of_metric = [cell for cell in cells if cell.metric.fingerprint == metric]
    panels = sweep_lines(of_metric)
    if not panels:
        return False
    spec = of_metric[0].metric.spec
    order = list(dict.fromkeys(cell.variant.system for cell in of_metric if not cell.variant.control))
    drawn = [line for lines in panels.values() for line in lines]
    systems = [name for name in order if any(line.system == name for line in drawn)]
    bottom, top = range_of(drawn, spec)
    reference = next((one for one in of_metric if one.variant.control and one.variant.name == "reference"), None)
    level = None if reference is None or reference.estimate.value is None else reference.estimate.value * spec.scale
    near = level is not None and bottom - _NEAR * (top - bottom) <= level <= top + _NEAR * (top - bottom)
    if near and level is not None:
        bottom, top = min(bottom, level), max(top, level)
    with look():
        figure, first = new_figure(1.0 + _PANEL * len(panels), 3.7)
        first.remove()
        places = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        handles: dict[str, Any] = {}
        for axes, (name, lines) in zip(places, panels.items(), strict=True):
            scale_axis(axes, name, lines)
            for place, line in enumerate(lines):
                aside = (place - (len(lines) - 1) / 2) * _DODGE
                handles[line.system] = draw_line(axes, line, systems.index(line.system), aside, spec)
            if near:
                handles["reference"] = axes.axhline(level, color=GREY, linewidth=1.1, linestyle=DASHES[0], zorder=1)
            axes.set_xlabel(name)
        places[0].set_ylim(bottom - 0.05 * (top - bottom), top + 0.05 * (top - bottom))
        places[0].set_ylabel(axis_title(of_metric[0].metric.title, spec))
        named = [name for name in [*systems, "reference"] if name in handles]
        families = {cell.variant.system: cell.variant.family for cell in of_metric}
        labels = [textwrap.fill(_label(name, families), 34) for name in named]
        figure.legend(
            [handles[name] for name in named],
            labels,
            loc="outside lower center",
            ncols=min(len(named), max(1, len(panels))),
            fontsize=8,
        )
        if level is not None and not near:
            beyond = f"{'↑' if level > top else '↓'} beyond the axis ({spec.unit}): reference {three_digits(level)}"
            figure.suptitle(beyond, x=0.01, ha="left", fontsize=7.5, color=GREY)
        save(figure, stem)
    return True


def _label(name: str, families: Mapping[str, str]) -> str:
    family = families[name]
    return f"{name} ({family})" if family in ("continuous", "discrete", "control") else name


def range_of(lines: Sequence[Line], spec: MetricSpec) -> tuple[float, float]:
    """From the lowest to the highest end of all intervals, in display units, never of no height."""
    ends = [
        end * spec.scale
        for line in lines
        for _, cell in line.points
        for end in (cell.estimate.value, cell.estimate.low, cell.estimate.high)
        if end is not None
    ]
    low, high = min(ends), max(ends)
    return (low, high) if high > low else (low - (abs(low) or 1.0) / 10, high + (abs(high) or 1.0) / 10)


def scale_axis(axes: Any, name: str, lines: Sequence[Line]) -> None:
    """Ticks where rows are; counts that double have a logarithmic axis."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    values = sorted({value for line in lines for value, _ in line.points})
    # Moved aside, points do not set the limits by themselves.
    if values[0] >= 1 and values[-1] >= 4 * values[0]:
        axes.set_xscale("log", base=2)
        edge = (values[-1] / values[0]) ** _EDGE
        axes.set_xlim(values[0] / edge, values[-1] * edge)
    else:
        edge = _EDGE * (values[-1] - values[0])
        axes.set_xlim(values[0] - edge, values[-1] + edge)
    axes.xaxis.set_major_locator(FixedLocator(values))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def draw_line(axes: Any, line: Line, place: int, aside: float, spec: MetricSpec) -> Any:
    """One line with its intervals, so many points aside; hollow markers for discrete systems, the default larger."""
    from matplotlib.transforms import ScaledTranslation

    where = axes.transData + ScaledTranslation(aside / 72, 0, axes.figure.dpi_scale_trans)
    colour, marker = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
    hollow = line.points[0][1].variant.family == "discrete"
    xs = [value for value, _ in line.points]
    estimates = [cell.estimate for _, cell in line.points]
    ys = [spec.scale * float(one.value or 0.0) for one in estimates]
    for x, y, one in zip(xs, ys, estimates, strict=True):
        if one.low is not None and one.high is not None:
            reach = [[max(0.0, y - one.low * spec.scale)], [max(0.0, one.high * spec.scale - y)]]
            axes.errorbar(
                x, y, yerr=reach, fmt="none", ecolor=colour, elinewidth=0.9, capsize=2, transform=where, alpha=0.7
            )
    look = {"color": colour, "marker": marker, "markerfacecolor": "white" if hollow else colour, "transform": where}
    (handle,) = axes.plot(xs, ys, linewidth=1.2, markersize=4, zorder=3, **look)
    default = [(x, y) for x, y in zip(xs, ys, strict=True) if x == line.default]
    axes.plot([x for x, _ in default], [y for _, y in default], linestyle="none", markersize=7, zorder=4, **look)
    return handle
