"""The look of every figure: colour-blind safe, told apart by marker too, legible in grey."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from calm_eval.metrics.protocol import MetricSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito (2008) without yellow, which vanishes on white; ordered so that the colour-blind tell neighbours apart.
COLOURS = ("#000000", "#0072B2", "#D55E00", "#CC79A7", "#E69F00", "#56B4E9", "#009E73")
MARKERS = ("o", "s", "D", "^", "v", "<", ">", "h", "P", "X")
DASHES: tuple[tuple[int, tuple[float, ...]], ...] = ((0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (10, 3)))
GREY = "#555555"

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
    # Names come from files and plug-ins: a dollar sign is no formula.
    "text.parse_math": False,
    "svg.hashsalt": "calm-eval",
    "svg.fonttype": "path",
}


@contextmanager
def look() -> Iterator[None]:
    """These settings while a figure is drawn and saved: matplotlib reads most of them when a part is made."""
    import matplotlib as mpl

    # The defaults first, so that a user's own matplotlibrc changes nothing.
    defaults = {name: value for name, value in mpl.rcParamsDefault.items() if not name.startswith("backend")}
    with mpl.rc_context({**defaults, **SETTINGS}):
        yield


def new_figure(width: float, height: float) -> tuple[Figure, Any]:
    """A figure (inches) with one axes, without touching matplotlib's global state or a screen. Inside `look`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def save(figure: Figure, stem: Any) -> None:
    """Write `stem.svg` and `stem.png`, without dates, so that the same numbers give the same bytes. Inside `look`."""
    figure.savefig(f"{stem}.svg", metadata={"Date": None})
    figure.savefig(f"{stem}.png", metadata={"Software": None})


def axis_title(title: str, spec: MetricSpec) -> str:
    """`WER (%), lower is better`."""
    return f"{title} ({spec.unit}), {'higher' if spec.higher_is_better else 'lower'} is better"
