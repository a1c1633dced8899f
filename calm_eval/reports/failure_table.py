"""What stands below the tables of a suite: what is missing and why, what values rest on, how intervals were made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from calm_eval.reports.markdown import escape, table
from calm_eval.reports.tables.entries import UNTIMED
from calm_eval.runs.aggregate import Cell
from calm_eval.runs.plan_store import StoredPlan
from calm_eval.runs.row_order import ordered_rows


def failure_table(plan: StoredPlan, cells: Sequence[Cell]) -> str | None:
    """What is missing from scores and what was noticed in scored samples, by row; None when there is nothing."""
    missing: dict[tuple[str, str], Counter[str]] = {}
    for cell in cells:
        if cell.metric.unscored:
            continue
        if not cell.variant.measured_by(cell.metric.spec):
            # Not a failure of any sample, so nothing to count.
            missing.setdefault((cell.variant.name, cell.variant.unscored_text), Counter())[cell.metric.title] += 1
            continue
        for failure, count in cell.estimate.failures.items():
            if failure not in UNTIMED:
                missing.setdefault((cell.variant.name, f"{failure} ×{count}"), Counter())[cell.metric.title] += 1
    noticed: dict[tuple[str, str], int] = {}
    for cell in cells:
        for flag, count in cell.estimate.flags.items():
            key = (cell.variant.name, flag)
            noticed[key] = max(noticed.get(key, 0), count)
    rows = [
        [escape(name), escape(what), "not scored by " + ", ".join(escape(metric) for metric in metrics)]
        for (name, what), metrics in missing.items()
    ]
    timed = {row.name for row in plan.variants if row.unscored}
    rows += [
        [escape(name), f"{escape(flag)} ×{count}", f"{'timed' if name in timed else 'scored'}, and noticed"]
        for (name, flag), count in noticed.items()
    ]
    order = {escape(name): place for place, name in enumerate(ordered_rows(plan.variants))}
    rows.sort(key=lambda row: order[row[0]])
    return table(["row", "what", "effect"], rows, numbers=False) if rows else None


def basis_table(plan: StoredPlan, cells: Sequence[Cell]) -> str | None:
    """The figures that belong to values of whole rows (frames, rank, noise floor, gates); None when there are none."""
    order = {name: place for place, name in enumerate(ordered_rows(plan.variants))}
    told = sorted((cell for cell in cells if cell.estimate.notes), key=lambda cell: order[cell.variant.name])
    rows = [
        [
            escape(cell.variant.name),
            escape(cell.metric.title),
            ", ".join(
                f"{escape(name)} {_figure(value)}"
                for name, value in cell.estimate.notes.items()
                if not isinstance(value, list)
            ),
        ]
        for cell in told
    ]
    return table(["row", "metric", "rests on"], rows, numbers=False) if rows else None


def _figure(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else escape(str(value))


def methods(cells: Sequence[Cell]) -> str:
    """How the intervals were made, with the metrics of each way."""
    by_method: dict[str, list[str]] = {}
    for cell in cells:
        if cell.estimate.method and cell.estimate.low is not None:
            titles = by_method.setdefault(cell.estimate.method, [])
            if cell.metric.title not in titles:
                titles.append(cell.metric.title)
    if len(by_method) == 1:
        return next(iter(by_method))
    return "; ".join(f"{method} ({', '.join(map(escape, titles))})" for method, titles in by_method.items())
