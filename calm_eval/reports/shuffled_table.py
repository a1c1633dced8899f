"""Does a system listen? Its row beside the row where it was told another item's prompt or text, with a paired test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from calm_eval.keys import digest
from calm_eval.metrics.bound import BoundMetric
from calm_eval.metrics.protocol import MetricSpec
from calm_eval.reports.markdown import escape, table
from calm_eval.reports.rounding import with_interval
from calm_eval.reports.suite_table import cell_text, column_title
from calm_eval.runs.aggregate import Cell
from calm_eval.runs.plan_store import StoredPlan
from calm_eval.runs.rows import Variant
from calm_eval.stats.holm import holm
from calm_eval.stats.paired import PairedDifference, smallest_p
from calm_eval.stats.verdict import ALPHA, verdict

Compare = Callable[[BoundMetric, str, str], PairedDifference | None]
"""Difference of two variants by name, first less second; `runs/paired.py` has one over a run's store."""

_SHOWS = {"prompt": ("prompt", "prompt_round_trip", "reference"), "text": ("text", "reference")}
"""The parts of an item in which a metric can see what was told: a reference goes with its own prompt and text."""


@dataclass(frozen=True)
class _Line:
    own: Cell
    shuffled: Cell
    found: PairedDifference | None


def sees(spec: MetricSpec, part: str) -> bool:
    """Whether a metric holds each sample against something that goes with the item's `part` (prompt or text)."""
    return spec.kind != "set" and any(name in _SHOWS[part] for name in spec.needs)


def shuffled_pairs(variants: Sequence[Variant], part: str) -> list[tuple[Variant | None, Variant]]:
    """Each row whose `part` was shuffled, with the row of the same system and sampling that got its own.

    They are linked by the identity that the control keeps of the system; None where the suite has no such row.
    """
    shuffled = [
        row for row in variants if row.identity.get("control") == "shuffled" and row.identity.get("part") == part
    ]
    return [(_own(row, variants), row) for row in shuffled]


def _own(shuffled: Variant, variants: Sequence[Variant]) -> Variant | None:
    system = digest(shuffled.identity["system"])
    same = [row for row in variants if row.fingerprint == system and dict(row.sampling) == dict(shuffled.sampling)]
    return same[0] if same else None


def shuffled_sections(plan: StoredPlan, cells: Sequence[Cell], compare: Compare) -> list[str]:
    """Paragraphs for prompts and for texts; none for a suite without a system that was told another item's."""
    return [paragraph for part in ("prompt", "text") for paragraph in _section(plan, cells, compare, part)]


def _section(plan: StoredPlan, cells: Sequence[Cell], compare: Compare, part: str) -> list[str]:
    pairs = shuffled_pairs(plan.variants, part)
    if not pairs:
        return []
    word = "caption" if part == "text" and plan.suite.task.startswith("text_to_") else part
    by_place = {(cell.variant.name, cell.metric.fingerprint): cell for cell in cells}
    sets = [one for one in plan.metrics if one.spec.name in plan.suite.table and "reference_set" in one.spec.needs]
    metrics = [*[one for one in plan.metrics if sees(one.spec, part)], *[one for one in sets if one.spec.kind == "set"]]
    lines = [
        _line(by_place[own.name, one.fingerprint], by_place[shuffled.name, one.fingerprint], compare)
        for own, shuffled in pairs
        if own is not None
        for one in metrics
    ]
    alone = [shuffled for own, shuffled in pairs if own is None]
    parts = [
        f"### Does it {'listen to its prompt' if word == 'prompt' else f'follow its {word}'}?",
        f"Each system beside itself when it was told another item's {word}, scored against the item's own: same items, "
        f"same noise. Difference: the other {word} less its own, paired by item, 95 % BCa interval. p: two-sided "
        f"sign-flip test over items, Holm over the lines of this table; below {ALPHA:g} the line says worse or better. "
        f"Only metrics that can see the {word} are tested. A metric of the whole set knows no item's {word}: both its "
        "values are shown, without a test.",
        *[f"{escape(row.name)}: the system by itself is no row of this suite." for row in alone],
    ]
    if not lines:
        return [*parts, f"No metric of this suite sees the {word}."] if len(alone) < len(pairs) else parts
    tested = [line.found for line in lines if line.found is not None and line.found.p is not None]
    adjusted = iter(holm([found.p for found in tested if found.p is not None]))
    rows, verdicts = [], []
    for line in lines:
        p = next(adjusted) if line.found is not None and line.found.p is not None else None
        verdicts.append(_said(line, p))
        rows.append(_row(line, p, verdicts[-1]))
    header = ["", "metric", f"own {word}", f"another's {word}", "difference", "n items", "p", ""]
    return [*parts, table(header, rows, numbers=False), *_told(lines, verdicts, word), *too_few(tested)]


def _line(own: Cell, shuffled: Cell, compare: Compare) -> _Line:
    # A gate may well fall for want of the item's own text: the shuffled row is tested all the same, its own row not.
    valid = own.estimate.value is not None and shuffled.estimate.n_scored > 0
    return _Line(own, shuffled, compare(own.metric, shuffled.variant.name, own.variant.name) if valid else None)


def _said(line: _Line, p: float | None) -> str:
    spec = line.own.metric.spec
    if spec.kind == "set":
        return "no test"
    if line.found is None or p is None:
        return "cannot be tested"
    return verdict(line.found.difference, p, higher_is_better=spec.higher_is_better)


def _row(line: _Line, p: float | None, verdict: str) -> list[str]:
    found, spec = line.found, line.own.metric.spec
    return [
        escape(line.own.variant.name),
        column_title(line.own),
        cell_text(line.own),
        cell_text(line.shuffled),
        "–" if found is None else with_interval(found.difference, found.low, found.high, scale=spec.scale),
        "–" if found is None else str(found.n_items),
        "–" if p is None else p_text(p),
        f"**{verdict}**" if verdict in ("worse", "better") else verdict,
    ]


def p_text(p: float) -> str:
    """Two significant digits; what lies below a ten-thousandth is only said to."""
    return f"{p:.2g}" if p >= 1e-4 else "< 0.0001"


def _told(lines: Sequence[_Line], verdicts: Sequence[str], word: str) -> list[str]:
    """One sentence a system: where the other prompt or text makes it worse."""
    told: dict[str, dict[str, list[str]]] = {line.own.variant.name: {} for line in lines}
    for line, said in zip(lines, verdicts, strict=True):
        told[line.own.variant.name].setdefault(said, []).append(escape(line.own.metric.title))
    sentences = []
    for name, by in told.items():
        found = [f"{verdict} on {', '.join(by[verdict])}" for verdict in ("worse", "better") if verdict in by]
        if not found:
            found = ["not distinguishable" if "not distinguishable" in by else "nothing could be tested"]
        sentences.append(f"- {escape(name)} with another's {word}: {'; '.join(found)}.")
    return ["\n".join(sentences)]


def too_few(tested: Sequence[PairedDifference]) -> list[str]:
    """A sentence where the lines of a table have so few items that no difference could be told."""
    if not tested:
        return []
    items = max(found.n_items for found in tested)
    least = smallest_p(items)
    if least * len(tested) < ALPHA:
        return []
    return [
        f"With {items} items no p can be below {least:.2g}, times {len(tested)} by Holm: this table cannot tell any "
        "difference from chance, however large."
    ]
