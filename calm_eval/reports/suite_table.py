"""The table of one suite: a row a variant, a column a metric, intervals in every cell, cost and n at the end."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from calm_eval.reports.markdown import escape, table
from calm_eval.reports.rounding import with_interval
from calm_eval.runs.aggregate import Cell
from calm_eval.runs.plan_store import StoredPlan
from calm_eval.runs.rows import Variant

COST = ("Head evaluations (per s of audio)", "n (items × seeds)")
"""The last columns of a table of rows: what a second of audio costs, and how much the row rests on."""
UNTIMED = frozenset(("not-timed", "no-spans"))
"""Reasons of a timing that a row does not have; no failures."""


def ordered_rows(plan: StoredPlan) -> list[str]:
    """Names of the variants: systems first, then controls, each in the order of the plan.

    Of a system its default comes first, then what moves one parameter, then more; values in their order.
    """
    systems = list(dict.fromkeys(row.system for row in plan.variants))
    defaults = {name: default_row([row for row in plan.variants if row.system == name]) for name in systems}
    ranked = sorted(
        plan.variants,
        key=lambda row: (row.control, systems.index(row.system), *_moved(row, defaults[row.system])),
    )
    return [row.name for row in ranked]


def default_row(rows: Sequence[Variant]) -> Variant:
    """Of one system's rows that at its defaults, which has the system's bare name; else the first."""
    return next((row for row in rows if row.name == row.system), rows[0])


def moved(row: Variant, default: Variant) -> list[str]:
    """The sampling parameters in which a row differs from another of its system, in the system's order."""
    return [name for name, value in row.sampling.items() if default.sampling.get(name) != value]


def _moved(row: Variant, default: Variant) -> tuple[int, list[int], list[tuple[float, str]]]:
    """Sorts by how many parameters are moved, then which, then to what: numbers by size, words after them."""
    names = moved(row, default)
    values = [row.sampling[name] for name in names]
    return (
        len(names),
        [list(row.sampling).index(name) for name in names],
        [(math.inf, value) if isinstance(value, str) else (float(value), "") for value in values],
    )


def cost_cells(cell: Cell) -> list[str]:
    """The last columns of the row of a cell: a dash for what has no head, and what was planned."""
    heads, estimate = cell.variant.head_evaluations, cell.estimate
    return ["–" if heads is None else f"{heads:g}", f"{estimate.n_expected // estimate.seeds} × {estimate.seeds}"]


def cell_text(cell: Cell) -> str:
    """Value, interval, warnings, and the count when something is missing; or the reason why there is no value."""
    estimate, spec = cell.estimate, cell.metric.spec
    if not cell.variant.measured_by(spec):
        return escape(cell.variant.unscored_text)
    if estimate.invalid is not None:
        return f"– ({escape(estimate.invalid)})"
    if estimate.value is None:
        if set(estimate.failures) <= UNTIMED:
            return "–"
        if set(estimate.failures) == {"judge-unavailable"}:
            return "judge unavailable"
        return f"– ({estimate.n_scored}/{estimate.n_expected})"
    text = with_interval(estimate.value, estimate.low, estimate.high, scale=spec.scale)
    if estimate.n_scored != estimate.n_expected:
        text += f" ({estimate.n_scored}/{estimate.n_expected})"
    if estimate.warnings:
        text += f" ({escape('; '.join(estimate.warnings))})"
    return text


def column_title(cell: Cell) -> str:
    """Title, unit and direction of a metric's column, escaped."""
    spec = cell.metric.spec
    return f"{escape(cell.metric.title)} ({escape(spec.unit)}) {'↑' if spec.higher_is_better else '↓'}"


def headings(cells: Sequence[Cell]) -> list[str]:
    """Column titles; where two would be alike, the judge and the fingerprint tell them apart."""
    titles = [column_title(cell) for cell in cells]
    return [
        title if titles.count(title) == 1 else f"{title}, {escape(cell.metric.preset)} {cell.metric.fingerprint[:6]}"
        for title, cell in zip(titles, cells, strict=True)
    ]


def chosen_metrics(cells: Sequence[Cell], columns: Sequence[str]) -> list[str]:
    """Fingerprints of the metrics of these names, in their order; a name may stand for several."""
    return list(
        dict.fromkeys(cell.metric.fingerprint for name in columns for cell in cells if cell.metric.spec.name == name)
    )


def suite_table(plan: StoredPlan, cells: Sequence[Cell], columns: Sequence[str]) -> str:
    """The Markdown table of these metrics, controls in italics below the systems."""
    by_place = {(cell.variant.name, cell.metric.fingerprint): cell for cell in cells}
    chosen = chosen_metrics(cells, columns)
    names = ordered_rows(plan)
    header = ["", *headings([by_place[names[0], fingerprint] for fingerprint in chosen]), *COST]
    controls = {row.name for row in plan.variants if row.control}
    rows = []
    for name in names:
        shown = f"*{escape(name)}*" if name in controls else escape(name)
        mine = [by_place[name, metric] for metric in chosen]
        rows.append([shown, *map(cell_text, mine), *cost_cells(mine[0])])
    return table(header, rows)


def failure_table(plan: StoredPlan, cells: Sequence[Cell]) -> str | None:
    """What is missing from scores and what was noticed in scored samples, by row; None when there is nothing."""
    missing: dict[tuple[str, str], Counter[str]] = {}
    for cell in cells:
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
    order = {escape(name): place for place, name in enumerate(ordered_rows(plan))}
    rows.sort(key=lambda row: order[row[0]])
    return table(["row", "what", "effect"], rows, numbers=False) if rows else None


def basis_table(plan: StoredPlan, cells: Sequence[Cell]) -> str | None:
    """The figures that belong to values of whole rows (frames, rank, noise floor, gates); None when there are none."""
    order = {name: place for place, name in enumerate(ordered_rows(plan))}
    told = sorted((cell for cell in cells if cell.estimate.notes), key=lambda cell: order[cell.variant.name])
    rows = [
        [
            escape(cell.variant.name),
            escape(cell.metric.title),
            ", ".join(f"{escape(name)} {_figure(value)}" for name, value in cell.estimate.notes.items()),
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
