"""Each system at its best: the rows picked on the tuning items, told on the others."""

from __future__ import annotations

from collections.abc import Sequence

from calm_eval.reports.markdown import escape, table
from calm_eval.reports.suite_table import cell_text, chosen_metrics, headings
from calm_eval.runs.aggregate import Cell
from calm_eval.runs.pick import Pick


def best_table(picks: Sequence[Pick], cells: Sequence[Cell], columns: Sequence[str]) -> str | None:
    """One row a system that was picked from several; None where none was.

    The first column is what the choice was made by, on the tuning items; all others are of the other items.
    """
    shown = [pick for pick in picks if pick.among > 1]
    if not shown:
        return None
    by_place = {(cell.variant.name, cell.metric.fingerprint): cell for cell in cells}
    metrics = chosen_metrics(cells, columns)
    picked = shown[0]
    header = [
        "",
        f"{escape(picked.metric.title)} on {picked.n_items} tuning items",
        "best of",
        *headings([by_place[picked.variant.name, metric] for metric in metrics]),
    ]
    rows = [
        [
            escape(pick.variant.name),
            f"{pick.value * pick.metric.spec.scale:.3g}",
            str(pick.among),
            *[cell_text(by_place[pick.variant.name, metric]) for metric in metrics],
        ]
        for pick in shown
    ]
    return table(header, rows)
