"""Are the tables of a run complete, and do they compare? Sizes, intervals, cost, shuffles, equal time, ablation."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence

from bar import Bar

from calm_eval.reports.equal_time_table import EQUAL_TIME, OWN_BEST, Match, matches
from calm_eval.reports.shuffled_table import shuffled_pairs
from calm_eval.runs.aggregate import Cell
from calm_eval.runs.database import Database
from calm_eval.runs.pick import tuning_cells
from calm_eval.runs.plan_store import StoredPlan, load_plans
from calm_eval.runs.run import Run

ITEMS, SEEDS, SUITES = 48, 2, 4
POINTS = ("fad_floor",)
"""Values that have no interval by their nature: a yardstick of the number of clips."""
SAID = re.compile(r"^- (.+) with another's (?:prompt|text|caption): (.+)\.$", re.MULTILINE)
CLAIMS = ("worse on", "not distinguishable")


def bars(full: Run, ablation: Run) -> list[Bar]:
    """The bars over all suites of the full run, and those of the ablation."""
    sections = full.cells()
    report = (full.folder / "report.md").read_text(encoding="utf-8")
    return [
        _sizes([plan for plan, _ in sections]),
        *[_complete(plan, cells) for plan, cells in sections],
        *[_shuffles(plan, suite_text(report, plan.suite.title)) for plan, _ in sections],
        *[_families(name, found) for name, found in _matched(full, sections)],
        *[_ablated(plan, cells) for plan, cells in ablation.cells()],
    ]


def _sizes(plans: Sequence[StoredPlan]) -> Bar:
    told = "; ".join(f"{plan.suite.name} {len(plan.items)} items, {plan.seeds} seeds" for plan in plans)
    fine = all(len(plan.items) >= ITEMS and plan.seeds >= SEEDS for plan in plans)
    limit = f"at least {ITEMS} items and {SEEDS} seeds in each of {SUITES}"
    return Bar("test items and seeds of the full run", limit, told, fine and len(plans) == SUITES)


def lacking(cells: Sequence[Cell]) -> list[str]:
    """What rows and cells of a table lack: an interval beside a value, items, and for systems cost and time."""
    found = [
        f"{cell.variant.name}, {cell.metric.spec.name}: no interval"
        for cell in cells
        if cell.estimate.value is not None
        and (cell.estimate.low is None or cell.estimate.high is None)
        and cell.metric.spec.name not in POINTS
    ]
    found += [
        f"{cell.variant.name}, {cell.metric.spec.name}: no items" for cell in cells if not cell.estimate.n_expected
    ]
    systems = {cell.variant.name: cell.variant for cell in cells if not cell.variant.control}
    timed = {cell.variant.name for cell in cells if cell.metric.spec.name == "rtf" and cell.estimate.value is not None}
    found += [f"{name}: no time" for name in systems if name not in timed]
    found += [
        f"{name}: no head evaluations"
        for name, row in systems.items()
        if row.family in ("continuous", "discrete") and row.head_evaluations is None
    ]
    return found


def _complete(plan: StoredPlan, cells: Sequence[Cell]) -> Bar:
    found = lacking(cells)
    valued = sum(cell.estimate.value is not None for cell in cells)
    told = f"{len(plan.variants)} rows, {valued} of {len(cells)} cells with a value; lacking: {_first(found)}"
    name = f"{plan.suite.name}: interval, n, head evaluations, time"
    return Bar(name, "in every row (time and heads of systems; no interval of a noise floor)", told, not found)


def suite_text(report: str, title: str) -> str:
    """The section of a report with this title; empty where there is none."""
    parts = re.split(r"^## ", report, flags=re.MULTILINE)
    return next((part for part in parts if part.startswith(f"{title}\n")), "")


def said_of_shuffles(text: str) -> dict[str, list[str]]:
    """What a section says of each system that was told another's prompt, text or caption."""
    found: dict[str, list[str]] = {}
    for name, verdict in SAID.findall(text):
        found.setdefault(name.replace("\\", ""), []).append(verdict.replace("\\", ""))
    return found


def _shuffles(plan: StoredPlan, text: str) -> Bar:
    pairs = [pair for part in ("prompt", "text") for pair in shuffled_pairs(plan.variants, part)]
    said = said_of_shuffles(text)
    own = [mine.name for mine, _ in pairs if mine is not None]
    settled = [name for name in own if any(claim in one for one in said.get(name, []) for claim in CLAIMS)]
    told = "; ".join(f"{name}: {' and '.join(said.get(name, ['nothing is said']))}" for name in own)
    name = f"{plan.suite.name}: told another's prompt or text, paired test"
    fine = bool(pairs) and len(settled) == len(pairs)
    return Bar(name, "worse on a metric that sees it, or the table says not distinguishable", told or "no pair", fine)


def _matched(run: Run, sections: Sequence[tuple[StoredPlan, list[Cell]]]) -> Iterator[tuple[str, list[Match]]]:
    """For each suite its continuous systems beside its discrete ones."""
    times = {
        plan.suite.name: {
            cell.variant.name: cell.estimate.value
            for cell in cells
            if cell.metric.spec.name == "rtf" and cell.estimate.value is not None
        }
        for plan, cells in sections
    }
    with contextlib.closing(Database(run.folder, write=False)) as database:
        for plan in load_plans(database):
            yield plan.suite.name, matches(tuning_cells(database, plan), times[plan.suite.name])


def _families(suite: str, found: Sequence[Match]) -> Bar:
    told, both = [], []
    for match in found:
        one, other = match.cells
        if one is not None and other is not None:
            both.append(match.at)
            told.append(f"{match.at}: {one.variant.name} and {other.variant.name}")
    name = f"{suite}: a continuous and a discrete system side by side"
    limit = "at own best and at equal time"
    return Bar(name, limit, "; ".join(told) or "none", OWN_BEST in both and EQUAL_TIME in both)


def _ablated(plan: StoredPlan, cells: Sequence[Cell]) -> Bar:
    column = [cell for cell in cells if cell.metric.spec.name == "fad" and not cell.variant.control]
    wide = [cell for cell in column if cell.estimate.low is not None and cell.estimate.high is not None]
    told = "; ".join(
        f"{cell.variant.name} {cell.estimate.value:.3g} [{cell.estimate.low:.3g}, {cell.estimate.high:.3g}]"
        for cell in wide
        if cell.estimate.value is not None
    )
    noted = any("cannot show" in note for note in plan.suite.notes)
    measured = f"FAD {told or 'none'}; {'says' if noted else 'does not say'} what it can and cannot show"
    limit = "intervals in every row, and a word on the short training"
    fine = len(wide) == len(column) == 5 and noted and not lacking(cells)
    return Bar(f"{plan.suite.name}: ablation table", limit, measured, fine)


def _first(found: Sequence[str], most: int = 3) -> str:
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ("; ".join(found[:most]) or "nothing") + more
