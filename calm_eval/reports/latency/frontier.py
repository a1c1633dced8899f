"""Quality bought with time: the rows of a scored run beside what their steps cost here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calm_eval.errors import InputError
from calm_eval.latency.summary import Summary
from calm_eval.metrics.protocol import MetricSpec
from calm_eval.reports.latency.cells import MS
from calm_eval.reports.markdown import escape, table
from calm_eval.reports.rounding import three_digits, with_interval
from calm_eval.reports.style import COLOURS, MARKERS, axis_title, look, new_figure, save
from calm_eval.runs.run import load_run

MOST_BUDGETS = 6


@dataclass(frozen=True)
class Bought:
    """A row's quality, in the metric's display unit, with what it costs."""

    summary: Summary
    value: float
    low: float | None
    high: float | None

    @property
    def row(self) -> str:
        """The row's name."""
        return self.summary.measured.row.name


def bought(run: Path, summaries: Sequence[Summary]) -> dict[str, tuple[MetricSpec, list[Bought]]]:
    """For each metric of the run's suites that is no timing: the rows that both have, by the metric's name.

    Raises InputError when the run has none of the measured rows.
    """
    by_name = {one.measured.row.name: one for one in summaries if one.step is not None}
    found: dict[str, tuple[MetricSpec, list[Bought]]] = {}
    known = set()
    for plan, cells in load_run(run).cells():
        for cell in cells:
            spec, one, name = cell.metric.spec, cell.estimate, cell.variant.name
            known.add(name)
            if spec.timing or name not in by_name or one.value is None:
                continue
            low, high = (None if end is None else end * spec.scale for end in (one.low, one.high))
            rows = found.setdefault(f"{plan.suite.name} {spec.name}", (spec, []))[1]
            rows.append(Bought(by_name[name], one.value * spec.scale, low, high))
    if not found:
        raise InputError(f"{run}: no row of this run is measured here; it has: {', '.join(sorted(known))}")
    return found


def frontier_plot(spec: MetricSpec, rows: Sequence[Bought], stem: Path) -> None:
    """Quality against head evaluations, step time and end-to-end time, a panel each; hollow marks are discrete."""
    panels: list[tuple[str, list[float | None]]] = [
        ("head evaluations per second of audio", [one.summary.measured.row.head_rate for one in rows]),
        ("median step (ms)", [None if one.summary.step is None else one.summary.step.value * MS for one in rows]),
        ("compute per second of audio (s)", [one.summary.real_time_factor for one in rows]),
    ]
    systems = list(dict.fromkeys(one.summary.measured.row.system for one in rows))
    with look():
        figure, first = new_figure(7.6, 3.4)
        first.remove()
        handles = {}
        for axes, (title, xs) in zip(figure.subplots(1, 3, sharey=True), panels, strict=True):
            for one, x in zip(rows, xs, strict=True):
                if x is None:
                    continue
                place = systems.index(one.summary.measured.row.system)
                colour = COLOURS[place % len(COLOURS)]
                if one.low is not None and one.high is not None:
                    axes.plot([x, x], [one.low, one.high], color=colour, linewidth=0.8, alpha=0.7)
                hollow = one.summary.measured.row.family == "discrete"
                (handles[systems[place]],) = axes.plot(
                    x, one.value, linestyle="none", markersize=5, marker=MARKERS[place % len(MARKERS)],
                    color=colour, markerfacecolor="white" if hollow else colour,
                )  # fmt: skip
            axes.set_xlabel(title, fontsize=8)
            axes.margins(x=0.1)
            if title.startswith("head"):
                _counts(axes, [x for x in xs if x is not None])
            else:
                # Labels of four digits would touch.
                axes.xaxis.get_major_locator().set_params(nbins=4)
        figure.axes[0].set_ylabel(axis_title(spec.title, spec), fontsize=8)
        figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=2, fontsize=8)
        save(figure, stem)


def _counts(axes: Any, values: Sequence[float]) -> None:
    """A logarithmic axis that begins at 0 (a delay pattern has no head), with labels where rows are."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("symlog", linthresh=10)
    labelled: list[float] = []
    for value in sorted(set(values)):
        if not labelled or value >= 3 * labelled[-1]:
            labelled.append(value)
    axes.xaxis.set_major_locator(FixedLocator(labelled))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def iso_latency_table(spec: MetricSpec, rows: Sequence[Bought]) -> str:
    """For each budget of step time the best value that each system reaches within it, and by which row."""
    times = sorted({one.summary.step.value * MS for one in rows if one.summary.step is not None})
    chosen = times if len(times) <= MOST_BUDGETS else [
        times[round(place * (len(times) - 1) / (MOST_BUDGETS - 1))] for place in range(MOST_BUDGETS)
    ]  # fmt: skip
    systems = list(dict.fromkeys(one.summary.measured.row.system for one in rows))
    lines = []
    for system in systems:
        mine = [one for one in rows if one.summary.measured.row.system == system]
        lines.append([escape(system), *(_best(spec, mine, budget) for budget in chosen)])
    return table([escape(spec.title), *(f"within {three_digits(budget)} ms" for budget in chosen)], lines)


def _best(spec: MetricSpec, rows: Sequence[Bought], budget: float) -> str:
    within = [one for one in rows if one.summary.step is not None and one.summary.step.value * MS <= budget]
    if not within:
        return "none so fast"
    best = (max if spec.higher_is_better else min)(within, key=lambda one: one.value)
    sampling = best.row.removeprefix(best.summary.measured.row.system).strip() or "default"
    return f"{with_interval(best.value, best.low, best.high)} ({escape(sampling)})"
