"""The first plot: a quality metric against the real-time factor, with both intervals; controls as levels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from calm_eval.reports.style import COLOURS, MARKERS, new_figure, save
from calm_eval.runs.aggregate import Cell


def quality_speed_plot(cells: Sequence[Cell], quality: str, stem: Path) -> bool:
    """Draw `stem.svg` and `stem.png`; False when no row has both numbers."""
    spec = next(cell.metric.metric.spec for cell in cells if cell.metric.metric.spec.name == quality)
    ys = {cell.variant.name: cell for cell in cells if cell.metric.metric.spec.name == quality}
    xs = {cell.variant.name: cell for cell in cells if cell.metric.metric.spec.name == "rtf"}
    both = [name for name in ys if ys[name].estimate.value is not None and _timed(xs.get(name))]
    if not both:
        return False
    figure, axes = new_figure(6.4, 3.8)
    for place, name in enumerate(both):
        x, y = xs[name].estimate, ys[name].estimate
        assert x.value is not None
        assert y.value is not None
        axes.errorbar(
            x.value,
            y.value * spec.scale,
            xerr=_error(x.value, x.low, x.high, 1.0),
            yerr=_error(y.value, y.low, y.high, spec.scale),
            fmt=MARKERS[place % len(MARKERS)],
            color=COLOURS[place % len(COLOURS)],
            markersize=6,
            capsize=2.5,
            elinewidth=1,
            label=name,
        )
    _levels(axes, [cell for cell in ys.values() if cell.variant.control], spec.scale)
    axes.set_xscale("log")
    axes.margins(x=0.12)
    axes.set_ylim(bottom=0 if spec.low == 0 else None)
    axes.set_xlabel("real-time factor: seconds of generation per second of audio (log scale; left is faster)")
    axes.set_ylabel(f"{spec.title} ({spec.unit}), {'higher' if spec.higher_is_better else 'lower'} is better")
    figure.legend(loc="outside right upper", fontsize=8)
    save(figure, stem)
    return True


def _timed(cell: Cell | None) -> bool:
    return cell is not None and cell.estimate.value is not None


def _error(value: float, low: float | None, high: float | None, scale: float) -> list[list[float]] | None:
    if low is None or high is None:
        return None
    return [[max(0.0, value - low) * scale], [max(0.0, high - value) * scale]]


def _levels(axes: object, controls: Sequence[Cell], scale: float) -> None:
    """Controls that lie within the systems' range or near it, as dashed lines with their names."""
    for cell in controls:
        value = cell.estimate.value
        if value is None:
            continue
        axes.axhline(value * scale, color="#7f7f7f", linewidth=0.9, linestyle=(0, (4, 3)))  # type: ignore[attr-defined]
        axes.annotate(  # type: ignore[attr-defined]
            cell.variant.name,
            xy=(1.0, value * scale),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            fontsize=7.5,
            color="#555555",
        )
