"""From an estimate to what stands in a table: a number in display units, or why there is none."""

from __future__ import annotations

from calm_eval.reports.rounding import rounded
from calm_eval.reports.tables.model import Column, Entry
from calm_eval.runs.aggregate import Cell

UNTIMED = frozenset(("not-timed", "no-spans"))
"""Reasons of a timing that a row does not have; no failures."""


def entry_of(cell: Cell) -> Entry:
    """Value, interval, warnings, and the count when something is missing; or the reason why there is no value."""
    estimate, spec = cell.estimate, cell.metric.spec
    if not cell.variant.measured_by(spec):
        return Entry(words=cell.variant.unscored_text)
    if cell.metric.unscored:
        return Entry(words=f"{cell.metric.unscored}: not scored")
    if estimate.invalid is not None:
        return Entry(words=f"– ({estimate.invalid})")
    if estimate.value is None:
        if set(estimate.failures) <= UNTIMED:
            return Entry(words="–")
        if set(estimate.failures) == {"judge-unavailable"}:
            return Entry(words="judge unavailable")
        return Entry(words=f"– ({estimate.n_scored}/{estimate.n_expected})", notes=_missing(cell))
    value, low, high = (
        None if one is None else one * spec.scale for one in (estimate.value, estimate.low, estimate.high)
    )
    whole = estimate.n_scored == estimate.n_expected
    counted = None if whole else (estimate.n_scored, estimate.n_expected)
    return Entry(value, low, high, counted=counted, warnings=estimate.warnings, notes=() if whole else _missing(cell))


def plain_text(entry: Entry, places: int | None = None) -> str:
    """Value, sign, interval, count and warnings in one line, without markup; or the words that stand for them."""
    if entry.value is None:
        return entry.words
    text, low, high = rounded(entry.value, entry.low, entry.high, places=places)
    parts = [f"{text}{entry.sign}"]
    parts += [f"[{low}, {high}]"] if low is not None and high is not None else []
    parts += [f"({entry.counted[0]}/{entry.counted[1]})"] if entry.counted is not None else []
    parts += [f"({'; '.join(entry.warnings)})"] if entry.warnings else []
    return " ".join(parts)


def _missing(cell: Cell) -> tuple[str, ...]:
    counts = [f"{name} ×{count}" for name, count in cell.estimate.failures.items() if name not in UNTIMED]
    return (f"not scored: {', '.join(counts)}",) if counts else ()


def column_of(cell: Cell, title: str | None = None, places: int | None = None) -> Column:
    """The column of a metric, under its own title or another one."""
    spec = cell.metric.spec
    return Column(cell.metric.fingerprint, title or cell.metric.title, spec.unit, spec.higher_is_better, places)
