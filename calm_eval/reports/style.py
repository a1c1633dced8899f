"""The look of every figure: colour-blind safe, told apart by marker too, legible in grey."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito (2008), black first, yellow left out: it vanishes on white paper.
COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<", ">", "h")

SETTINGS: dict[str, Any] = {
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "savefig.dpi": 200,
    "svg.hashsalt": "calm-eval",
    "svg.fonttype": "path",
}


def new_figure(width: float, height: float) -> tuple[Figure, Any]:
    """A figure (inches) with one axes, without touching matplotlib's global state or a screen."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
    return figure, axes


def save(figure: Figure, stem: Any) -> None:
    """Write `stem.svg` and `stem.png`, without dates, so that the same numbers give the same bytes."""
    import matplotlib as mpl

    with mpl.rc_context(SETTINGS):
        figure.savefig(f"{stem}.svg", metadata={"Date": None})
        figure.savefig(f"{stem}.png", metadata={"Software": None})
