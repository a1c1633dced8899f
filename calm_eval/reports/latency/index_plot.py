"""Step time against step index: does a step cost more as the cache grows?"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calm_eval.latency.summary import Summary
from calm_eval.reports.latency.cells import MS
from calm_eval.reports.latency.log_axis import LINES, plain_log
from calm_eval.reports.style import COLOURS, look, new_figure, save

BINS = 60
"""Points of a line at most: each is the median of neighbouring steps of all generations."""


def index_plot(summaries: Sequence[Summary], stem: Path) -> bool:
    """Draw `stem.svg` and `stem.png`: median over steps side by side, band from the 10th to the 90th percentile."""
    shown = [one for one in summaries if one.step is not None]
    if not shown:
        return False
    with look():
        figure, axes = new_figure(7.0, 3.6)
        for place, one in enumerate(shown):
            at, low, middle, high = band(one)
            colour = COLOURS[place % len(COLOURS)]
            axes.fill_between(at, low, high, color=colour, alpha=0.18, linewidth=0)
            dash = LINES[place % len(LINES)]
            axes.plot(at, middle, color=colour, linewidth=1.2, linestyle=dash, label=one.measured.row.name)
        axes.set_yscale("log")
        axes.set_xlabel("seconds of audio made")
        axes.set_ylabel("step time (ms)")
        plain_log(axes.yaxis)
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)
        save(figure, stem)
    return True


def band(summary: Summary) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Seconds of audio, then 10th, 50th and 90th percentile in milliseconds, of steps that lie side by side."""
    rate = summary.measured.row.frame_rate or 1.0
    longest = max(len(walls) for walls in summary.walls)
    edges = np.unique(np.linspace(0, longest, min(BINS, longest) + 1).round().astype(int))
    at, rows = [], []
    for start, stop in itertools.pairwise(edges):
        inside = np.concatenate([walls[start:stop] for walls in summary.walls])
        if len(inside):
            at.append(((start + stop) / 2 + 1) / rate)
            rows.append(np.quantile(inside, [0.1, 0.5, 0.9]) * MS)
    low, middle, high = np.array(rows).T
    return np.array(at), low, middle, high
