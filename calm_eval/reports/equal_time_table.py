"""Continuous and discrete systems side by side: each at its own best sampling, and within the same time.

Equal parameters would mean nothing: a temperature is a noise variance here and a softmax's there, and a step of a head
is no level of a code. So each system brings the row that was best on the tuning items: of all its rows, and of those
that are about as fast as the faster one of the two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from calm_eval.reports.markdown import escape, table
from calm_eval.reports.rounding import three_digits, with_interval
from calm_eval.reports.shuffled_table import Compare, p_text, too_few
from calm_eval.reports.suite_table import COST, cell_text, chosen_metrics, cost_cells, headings
from calm_eval.runs.aggregate import Cell
from calm_eval.runs.pick import best
from calm_eval.stats.holm import holm
from calm_eval.stats.paired import PairedDifference
from calm_eval.stats.verdict import ALPHA, verdict

LEEWAY = 1.1
"""A row is within a time when it takes at most so many times as much: times vary from run to run."""
FAMILIES = ("continuous", "discrete")
OWN_BEST, EQUAL_TIME = "own best", "equal time"


@dataclass(frozen=True)
class Match:
    """Two rows to compare, continuous and discrete, by their `cells` on the tuning items.

    `seconds` per second of audio is the time allowed, None where there is no limit. `note` says why it is not that of
    the faster own best, or why there is nothing to compare: then both cells are None.
    """

    at: str
    cells: tuple[Cell | None, Cell | None]
    seconds: float | None = None
    note: str = ""


def matches(tuning: Sequence[Cell], times: Mapping[str, float]) -> list[Match]:
    """Every continuous with every discrete system: at their own best, then at equal time.

    `tuning` are the cells that are picked by, `times` the seconds per second of audio of each timed row. The time
    allowed is that of the faster of the two picked rows, with `LEEWAY`; where the other system has no row so fast, that
    of its fastest row.
    """
    names = {
        family: list(dict.fromkeys(cell.variant.system for cell in tuning if cell.variant.family == family))
        for family in FAMILIES
    }
    found = []
    for one in names["continuous"]:
        for other in names["discrete"]:
            rows = [[cell for cell in tuning if cell.variant.system == system] for system in (one, other)]
            first, second = (best(mine)[0] for mine in rows)
            if first is not None and second is not None:
                found += [Match(OWN_BEST, (first, second)), _at_equal_time(rows, (first, second), times)]
    return found


def _at_equal_time(rows: Sequence[Sequence[Cell]], picked: tuple[Cell, Cell], times: Mapping[str, float]) -> Match:
    untimed = [cell.variant.name for cell in picked if cell.variant.name not in times]
    if untimed:
        return Match(EQUAL_TIME, (None, None), None, f"{' and '.join(untimed)}: not timed")
    seconds = min(times[cell.variant.name] for cell in picked)
    fastest = [_fastest(mine, times) for mine in rows]
    slow = [cell.variant.system for cell, least in zip(picked, fastest, strict=True) if least > LEEWAY * seconds]
    allowed = max(fastest) if slow else seconds
    first, second = (
        best([cell for cell in mine if times.get(cell.variant.name, math.inf) <= LEEWAY * allowed])[0] for mine in rows
    )
    note = f"{slow[0]} has no row within {three_digits(seconds)} s/s" if slow else ""
    return Match(EQUAL_TIME, (first, second), allowed, note)


def _fastest(rows: Sequence[Cell], times: Mapping[str, float]) -> float:
    """The least time of the rows that have a value to be picked by."""
    return min(times.get(cell.variant.name, math.inf) if cell.estimate.value is not None else math.inf for cell in rows)


def equal_time_section(
    tuning: Sequence[Cell], cells: Sequence[Cell], columns: Sequence[str], compare: Compare
) -> list[str]:
    """The paragraphs; none without a pick, without times, or where only one of the two families is there.

    `tuning` are the cells that are picked by, `cells` those of the tables, `columns` the metrics to show.
    """
    times = {
        cell.variant.name: cell.estimate.value
        for cell in cells
        if cell.metric.spec.name == "rtf" and cell.estimate.value is not None
    }
    found = matches(tuning, times) if times else []
    if not found:
        return []
    title = escape(tuning[0].metric.title)
    return [
        "### Continuous and discrete",
        f"Each system with the sampling that has the best {title} on the tuning items, which are in no other figure: "
        "of all its rows (own best), and of those that take at most the time of the faster of the two own bests, and "
        f"{LEEWAY - 1:.0%} more (equal time). Where a system has no row so fast, the time of its fastest row is taken, "
        "and the line says so. Time: seconds of generation per second of audio (RTF), on this machine.",
        _rows(found, tuning, cells, columns),
        f"{title}, continuous less discrete, paired by item, with 95 % BCa interval. p: two-sided sign-flip test over "
        f"items, Holm over the lines of this table; below {ALPHA:g} the line names the better one. Another set of "
        "tuning items may pick other rows; the intervals do not hold that.",
        *_comparisons(found, times, compare),
    ]


def _rows(found: Sequence[Match], tuning: Sequence[Cell], cells: Sequence[Cell], columns: Sequence[str]) -> str:
    """One line for each row that is compared, with the suite's columns."""
    chosen: dict[str, list[str]] = {}
    picked: dict[str, Cell] = {}
    for match in found:
        for cell in match.cells:
            if cell is not None:
                as_what = chosen.setdefault(cell.variant.name, [])
                as_what += [] if match.at in as_what else [match.at]
                picked[cell.variant.name] = cell
    by_place = {(cell.variant.name, cell.metric.fingerprint): cell for cell in cells}
    metrics = chosen_metrics(cells, columns)
    order = list(dict.fromkeys(cell.variant.name for cell in tuning))
    names = sorted(chosen, key=lambda name: (picked[name].variant.family, order.index(name)))
    by = tuning[0]
    header = [
        "",
        "family",
        "chosen as",
        f"{escape(by.metric.title)} on {max(cell.estimate.n_items for cell in tuning)} tuning items",
        *headings([by_place[names[0], metric] for metric in metrics]),
        *COST,
    ]
    lines = []
    for name in names:
        mine = [by_place[name, metric] for metric in metrics]
        value = picked[name].estimate.value
        assert value is not None
        lines.append(
            [
                escape(name),
                picked[name].variant.family,
                ", ".join(chosen[name]),
                three_digits(value * by.metric.spec.scale),
                *map(cell_text, mine),
                *cost_cells(mine[0]),
            ]
        )
    return table(header, lines)


def _comparisons(found: Sequence[Match], times: Mapping[str, float], compare: Compare) -> list[str]:
    """One line for each comparison; at equal time the same two rows are not tested twice."""
    lines: list[tuple[list[str], PairedDifference | None, Cell | None]] = []
    before: tuple[str, str] | None = None
    for match in found:
        one, other = match.cells
        within = "" if match.seconds is None else f", {three_digits(match.seconds)} s/s"
        at = match.at + within + (f" ({escape(match.note)})" if match.note else "")
        shown = [_named(cell, times) for cell in (one, other)]
        if one is None or other is None:
            lines.append(([*shown, at, "–"], None, None))
            continue
        rows = one.variant.name, other.variant.name
        if match.at == EQUAL_TIME and rows == before:
            lines.append(([*shown, at, "the same rows"], None, None))
            continue
        before = rows
        lines.append(([*shown, at], compare(one.metric, *rows), one))
    tested = [result for _, result, _ in lines if result is not None]
    ps = iter(holm([result.p for result in tested if result.p is not None]))
    told = []
    for start, result, one in lines:
        if one is None:
            told.append([*start, "–", "–", "–"])
        elif result is None:
            told.append([*start, "– (no value for each item)", "–", "–", "cannot be tested"])
        else:
            p = next(ps) if result.p is not None else None
            spec = one.metric.spec
            difference = with_interval(result.difference, result.low, result.high, scale=spec.scale)
            end = ["–" if p is None else p_text(p), _better(result, p, spec.higher_is_better)]
            told.append([*start, difference, str(result.n_items), *end])
    header = ["continuous (RTF)", "discrete (RTF)", "at", "difference", "n items", "p", "better"]
    return [table(header, told, numbers=False), *too_few(tested)]


def _named(cell: Cell | None, times: Mapping[str, float]) -> str:
    if cell is None:
        return "–"
    name = cell.variant.name
    return f"{escape(name)} ({three_digits(times[name])})" if name in times else escape(name)


def _better(result: PairedDifference, p: float | None, higher_is_better: bool) -> str:
    if p is None:
        return "cannot be tested"
    said = verdict(result.difference, p, higher_is_better=higher_is_better)
    return {"better": "**continuous**", "worse": "**discrete**"}.get(said, said)
