"""FAD against 1 / n: how much of a distance is the size of the set, and where the line ends without end."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calm_eval.metrics.fad_infinity import CURVE
from calm_eval.metrics.frechet_infinity import line
from calm_eval.reports.figures.wish import Drawn, FigureWish, wished_rows
from calm_eval.reports.rounding import three_digits
from calm_eval.reports.source import Source
from calm_eval.reports.style import COLOURS, GREY, MARKERS, look, new_figure, save

METRIC = "fad_infinity"
MOST_ROWS = 8


def set_size(source: Source, wish: FigureWish, stem: Path) -> Drawn | None:
    """Draw each row's points and its line to 1 / n = 0, where the value stands with its interval.

    None where no row has points: too few clips, or measured before points were kept (`calm-eval score` again). The
    first `MOST_ROWS` rows. Raises InputError where the suite has no `fad_infinity`.
    """
    bound = source.metric(wish.metric or METRIC)
    cells = [source.cell(row, bound) for row in wished_rows(source, wish)]
    shown = [cell for cell in cells if cell.estimate.notes.get(CURVE) and cell.estimate.value is not None][:MOST_ROWS]
    if not shown:
        return None
    with look():
        figure, axes = new_figure(6.2, 3.8)
        for place, cell in enumerate(shown):
            frames, distances = np.array(cell.estimate.notes[CURVE], dtype=np.float64).T
            across = 1 / frames
            colour = GREY if cell.variant.control else COLOURS[place % len(COLOURS)]
            marker = MARKERS[place % len(MARKERS)]
            intercept, fit = line(across, distances)
            slope = (distances.mean() - intercept) / across.mean()
            ends = np.array([0.0, across.max()])
            axes.plot(ends * 1000, intercept + slope * ends, color=colour, linewidth=0.9, linestyle=(0, (4, 2)))
            label = f"{cell.variant.name} (R² {three_digits(fit)})"
            axes.plot(
                across * 1000, distances, linestyle="none", marker=marker, markersize=4, color=colour, label=label
            )
            estimate = cell.estimate
            if estimate.value is not None and estimate.low is not None and estimate.high is not None:
                reach = [[estimate.value - estimate.low], [estimate.high - estimate.value]]
                axes.errorbar(0, estimate.value, yerr=reach, color=colour, marker=marker, markersize=5, capsize=3,
                              markerfacecolor="white", elinewidth=1)  # fmt: skip
        axes.set_xlim(left=-0.02 * axes.get_xlim()[1])
        axes.set_xlabel("1000 / frames of the generated set")
        axes.set_ylabel(f"FAD ({bound.spec.unit}), lower is better")
        figure.legend(loc="outside right upper", fontsize=7.5)
        save(figure, stem)
    return Drawn(
        f"{source.plan.suite.title}: FAD of subsets drawn without replacement, against one over their frames; dashed: "
        "the line; hollow, at 0: its end with 95 % interval.",
        [bound],
    )
