"""Stacked spans: what a mean step of each system is made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from calm_eval.latency.summary import COLUMNS, Summary
from calm_eval.reports.latency.cells import MS
from calm_eval.reports.rounding import three_digits
from calm_eval.reports.style import GREY, look, new_figure, save

# From dark to light, so that neighbours differ in grey; the head stands out.
FILLS = {
    "backbone": ("#0072B2", ""),
    "head": ("#D55E00", "//"),
    "codec": ("#56B4E9", ".."),
    "other": ("#CC79A7", "xx"),
    "unattributed": ("#ffffff", ""),
}


def parts_plot(summaries: Sequence[Summary], stem: Path) -> bool:
    """Draw `stem.svg` and `stem.png`; False where no system marks parts."""
    shown = [one for one in summaries if one.parts]
    if not shown:
        return False
    with look():
        figure, axes = new_figure(7.0, 1.3 + 0.42 * len(shown))
        used = [part for part in COLUMNS if part in FILLS and any(part in one.parts for one in shown)]
        for place, one in enumerate(shown):
            left = 0.0
            for part in used:
                width = max(0.0, one.parts[part].mean * MS) if part in one.parts else 0.0
                colour, hatch = FILLS[part]
                axes.barh(
                    place, width, left=left, height=0.62, color=colour, hatch=hatch, edgecolor="black", linewidth=0.5
                )
                left += width
            axes.text(left, place, f" {three_digits(left)} ms", va="center", fontsize=8, color=GREY)
        axes.set_yticks(range(len(shown)), [one.measured.row.name for one in shown], fontsize=8)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("mean time of a step, all but the first (ms)")
        axes.margins(x=0.12)
        axes.set_xlim(left=0)
        from matplotlib.patches import Patch

        patches = [
            Patch(facecolor=FILLS[part][0], hatch=FILLS[part][1], edgecolor="black", linewidth=0.5) for part in used
        ]
        figure.legend(patches, used, loc="outside lower center", ncols=len(used), fontsize=8)
        save(figure, stem)
    return True
