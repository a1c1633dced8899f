"""The first plot: a quality metric against the real-time factor, with both intervals; controls as levels.

The axis follows the timed systems. A level far beyond them is named above the plot with its value, because drawn to
scale it would press the systems into a corner.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calm_eval.metrics.protocol import MetricSpec
from calm_eval.reports.rounding import three_digits
from calm_eval.reports.style import COLOURS, DASHES, GREY, MARKERS, axis_title, look, new_figure, save
from calm_eval.runs.aggregate import Cell
from calm_eval.runs.row_order import default_row
from calm_eval.stats.estimate import Estimate

_LABEL_WIDTH = 30
_NOTE_WIDTH = 62
"""Characters of a line above the axes, which ends before the legend."""
_LINE = 0.175
"""Inches of height that a line of the legend takes."""
_NEAR = 0.5
"""A level is drawn when it lies at most this far outside the systems' range, as a share of that range."""
_TALLEST = 2.0
"""An axis from 0 ends at most this factor above the highest system; a longer interval is cut, marked and told."""
_MOST_ROWS = 8
_LEAST_SPEEDS = 5.0
"""The speed axis spans at least this factor: two numbers then always stand on it."""


@dataclass(frozen=True)
class _Scale:
    """The quality axis in display units."""

    bottom: float
    top: float

    def holds(self, value: float) -> bool:
        return self.bottom <= value <= self.top


def quality_speed_plot(cells: Sequence[Cell], quality: str, stem: Path) -> bool:
    """Draw `stem.svg` and `stem.png`; False when no row has both numbers."""
    ys = {cell.variant.name: cell for cell in cells if cell.metric.spec.name == quality}
    xs = {cell.variant.name: cell for cell in cells if cell.metric.spec.name == "rtf"}
    scored = [name for name in ys if ys[name].estimate.value is not None]
    timed = [name for name in scored if name in xs and (xs[name].estimate.value or 0) > 0]
    if not timed:
        return False
    levels = [ys[name] for name in scored if name not in timed]
    spec = ys[timed[0]].metric.spec
    scale = _axis(spec, [ys[name].estimate for name in timed], [cell.estimate for cell in levels])
    near = [cell for cell in levels if scale.holds(_shown(cell, spec))]
    lines = sum(label.count("\n") + 1 for label in [*[_label(ys[name]) for name in timed], *map(_level_label, near)])
    with look():
        figure, axes = new_figure(6.8, max(3.8, 0.3 + _LINE * lines))
        axes.set_xscale("log")
        handles = _systems(axes, [(xs[name], ys[name]) for name in timed], spec)
        handles += _levels(axes, near, spec)
        axes.margins(x=0.12)
        axes.set_ylim(scale.bottom, scale.top)
        _speed_ticks(axes)
        axes.set_xlabel("real-time factor: s of generation per s of audio (log scale; left is faster)")
        axes.set_ylabel(axis_title(spec.title, spec))
        note = _beyond([cell for cell in levels if cell not in near], scale, spec)
        cut = [(xs[name], ys[name]) for name in timed if (ys[name].estimate.high or 0.0) * spec.scale > scale.top]
        note = "\n".join(filter(None, [_cut(axes, cut, scale, spec), note]))
        if note:
            axes.set_title(note, loc="left", fontsize=7.5, color=GREY)
        figure.legend(handles=handles, loc="outside right upper", fontsize=8, borderaxespad=0)
        save(figure, stem)
    return True


def few_rows(cells: Sequence[Cell]) -> list[Cell]:
    """All cells, or each system's default row where there are more than a reader tells apart.

    A sweep's other rows have a figure of their own; systems that were told another item's part are left out with them.
    """
    rows = {cell.variant.name: cell.variant for cell in cells}.values()
    if sum(not row.control for row in rows) <= _MOST_ROWS:
        return list(cells)
    systems = dict.fromkeys(row.system for row in rows)
    kept = {default_row([row for row in rows if row.system == name]).name for name in systems}
    told_another = {row.name for row in rows if row.identity.get("control") == "shuffled"}
    return [cell for cell in cells if cell.variant.name in kept - told_another]


def _shown(cell: Cell, spec: MetricSpec) -> float:
    assert cell.estimate.value is not None
    return cell.estimate.value * spec.scale


def _axis(spec: MetricSpec, systems: Sequence[Estimate], levels: Sequence[Estimate]) -> _Scale:
    """Room for every system's interval and for the levels near them; from 0 for what is measured from 0."""
    ends = [end * spec.scale for one in systems for end in (one.value, one.low, one.high) if end is not None]
    low = 0.0 if spec.low == 0 else min(ends)
    high = max(ends)
    if spec.low == 0:
        high = min(high, _TALLEST * max(one.value for one in systems if one.value is not None) * spec.scale) or high
    # Systems that all agree still need an axis with some height.
    span = (high - low) or abs(high) * 0.2 or 0.01 * spec.scale
    reach = (low - _NEAR * span, high + _NEAR * span)
    near = [one.value * spec.scale for one in levels if one.value is not None]
    near = [value for value in near if reach[0] <= value <= reach[1]]
    bottom, top = min([low, *near]), max([low + span, *near])
    edge = 0.06 * (top - bottom)
    return _Scale(0.0 if spec.low == 0 else bottom - edge, top + edge)


def _named(cell: Cell) -> str:
    estimate = cell.estimate
    missing = f" ({estimate.n_scored}/{estimate.n_expected})" if estimate.n_scored != estimate.n_expected else ""
    return cell.variant.name + missing


def _label(cell: Cell) -> str:
    return textwrap.fill(_named(cell), _LABEL_WIDTH)


def _level_label(cell: Cell) -> str:
    kind = "control" if cell.variant.control else "not timed"
    return textwrap.fill(f"{_named(cell)}, {kind}", _LABEL_WIDTH)


def _systems(axes: Any, pairs: Sequence[tuple[Cell, Cell]], spec: MetricSpec) -> list[Any]:
    """One point with two bars for each row; all points above all bars, hollow ones after the last marker."""
    handles = []
    for place, (speed, quality) in enumerate(pairs):
        x = speed.estimate.value
        assert x is not None
        y = _shown(quality, spec)
        colour = COLOURS[place % len(COLOURS)]
        hollow = place // len(MARKERS) % 2 == 1
        axes.errorbar(
            x,
            y,
            xerr=_error(speed.estimate, 1.0),
            yerr=_error(quality.estimate, spec.scale),
            fmt="none",
            ecolor=colour,
            capsize=2.5,
            elinewidth=1.1,
            zorder=2,
        )
        # A white rim keeps points apart where they overlap.
        handles += axes.plot(
            x,
            y,
            linestyle="none",
            marker=MARKERS[place % len(MARKERS)],
            markersize=7,
            markerfacecolor="white" if hollow else colour,
            markeredgecolor=colour if hollow else "white",
            markeredgewidth=1.2 if hollow else 0.6,
            label=_label(quality),
            zorder=3,
        )
    return handles


def _error(estimate: Estimate, scale: float) -> list[list[float]] | None:
    value, low, high = estimate.value, estimate.low, estimate.high
    if value is None or low is None or high is None:
        return None
    return [[max(0.0, value - low) * scale], [max(0.0, high - value) * scale]]


def _levels(axes: Any, cells: Sequence[Cell], spec: MetricSpec) -> list[Any]:
    """Controls and rows without a time as dashed lines, their intervals as bands; named in the legend."""
    handles = []
    for place, cell in enumerate(cells):
        low, high = cell.estimate.low, cell.estimate.high
        if low is not None and high is not None:
            axes.axhspan(low * spec.scale, high * spec.scale, color=GREY, alpha=0.08, linewidth=0, zorder=0.5)
        # Past the dashes, broader and paler lines: no two levels look alike.
        first = place < len(DASHES)
        dash, colour = DASHES[place % len(DASHES)], GREY if first else "#9a9a9a"
        line = axes.axhline(_shown(cell, spec), color=colour, linewidth=1.1 if first else 2.2, linestyle=dash, zorder=1)
        line.set_label(_level_label(cell))
        handles.append(line)
    return handles


def _beyond(cells: Sequence[Cell], scale: _Scale, spec: MetricSpec) -> str:
    """The levels outside the axis, in words, those above first."""
    parts = []
    for arrow, above in (("↑", True), ("↓", False)):
        those = [cell for cell in cells if (_shown(cell, spec) > scale.top) == above]
        named = sorted(those, key=lambda cell: _shown(cell, spec))
        if named:
            values = [f"{cell.variant.name} {three_digits(_shown(cell, spec))}" for cell in named]
            kinds = ["" if cell.variant.control else " (not timed)" for cell in named]
            words = ", ".join(map("".join, zip(values, kinds, strict=True)))
            parts.append(textwrap.fill(f"{arrow} beyond the axis ({spec.unit}): {words}", _NOTE_WIDTH))
    return "\n".join(parts)


def _cut(axes: Any, pairs: Sequence[tuple[Cell, Cell]], scale: _Scale, spec: MetricSpec) -> str:
    """Mark intervals that go on above the axis, and say in words how far."""
    for speed, _ in pairs:
        axes.plot(speed.estimate.value, scale.top, marker="^", markersize=5, color=GREY, clip_on=False, zorder=4)
    ends = [f"{cell.variant.name} to {three_digits((cell.estimate.high or 0.0) * spec.scale)}" for _, cell in pairs]
    return textwrap.fill(f"↑ interval beyond the axis ({spec.unit}): {', '.join(ends)}", _NOTE_WIDTH) if ends else ""


def _speed_ticks(axes: Any) -> None:
    """Plain numbers at 1, 2 and 5 of each decade (1 alone over many decades)."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axes.get_xlim()
    if high / low < _LEAST_SPEEDS:
        middle, side = (low * high) ** 0.5, _LEAST_SPEEDS**0.5
        low, high = axes.set_xlim(middle / side, middle * side)
    steps = (1.0, 2.0, 5.0) if high / low < 1000 else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=steps))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
