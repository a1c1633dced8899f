"""The deadline curve: for every deadline, the share of steps that miss it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from calm_eval.latency.player import deadline_curve
from calm_eval.latency.summary import Summary
from calm_eval.reports.latency.cells import MS
from calm_eval.reports.latency.log_axis import LINES, plain_log
from calm_eval.reports.style import COLOURS, DASHES, GREY, look, new_figure, save


def deadline_plot(summaries: Sequence[Summary], stem: Path) -> bool:
    """Draw `stem.svg` and `stem.png`; a vertical line stands at each frame period. False without steps."""
    shown = [one for one in summaries if one.step is not None]
    if not shown:
        return False
    pooled = [np.concatenate(one.walls) for one in shown]
    periods = sorted({1e9 / one.measured.row.frame_rate for one in shown if one.measured.row.frame_rate})
    low = min(float(walls.min()) for walls in pooled)
    high = max(*(float(walls.max()) for walls in pooled), *periods, 2 * low)
    deadlines = np.geomspace(low * 0.9, high * 1.1, 400)
    with look():
        figure, axes = new_figure(7.0, 3.4)
        for place, (one, walls) in enumerate(zip(shown, pooled, strict=True)):
            # A curve ends where no step was slower: beyond, it is no measurement.
            curve = deadline_curve(walls, deadlines)
            seen = curve > 0
            dash = LINES[place % len(LINES)]
            colour = COLOURS[place % len(COLOURS)]
            axes.plot(
                deadlines[seen] * MS, 100 * curve[seen], color=colour, linestyle=dash, label=one.measured.row.name
            )
        for period in periods:
            axes.axvline(period * MS, color=GREY, linewidth=1.0, linestyle=DASHES[0])
            axes.annotate(
                f"a frame: {period * MS:g} ms", (period * MS, 1), xycoords=("data", "axes fraction"),
                xytext=(0, 3), textcoords="offset points", ha="center", va="bottom", fontsize=7.5, color=GREY,
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("deadline (ms)")
        axes.set_ylabel("steps that miss it (%)")
        plain_log(axes.xaxis)
        plain_log(axes.yaxis)
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)
        save(figure, stem)
    return True
