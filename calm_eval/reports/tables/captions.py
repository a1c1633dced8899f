"""What stands with a table: what its numbers are, how the marks came about, and by which fingerprints it is known."""

from __future__ import annotations

from collections.abc import Sequence

from calm_eval.keys import SHORT
from calm_eval.metrics.bound import BoundMetric
from calm_eval.reports.source import Source
from calm_eval.reports.tables.model import Row
from calm_eval.specs.layout import LayoutSpec
from calm_eval.stats.verdict import ALPHA


def caption_of(source: Source, layout: LayoutSpec, metrics: Sequence[BoundMetric | None], rows: Sequence[Row]) -> str:
    """Sentences that a reader needs to read the table, and no others."""
    plan = source.plan
    seeds = f"{plan.seeds} seed{'s' if plan.seeds > 1 else ''}"
    told = [f"{plan.suite.title}: {len(plan.items)} items, {seeds}."]
    if layout.intervals:
        told.append("Brackets: 95 % intervals.")
    marks = marks_text([one for one in metrics if one is not None], rows, "underlined")
    told += [marks] if marks else []
    if any(row.kind == "control" for row in rows):
        told.append("Rows in italics are controls.")
    if any(row.kind == "published" for row in rows):
        told.append("The last rows are published numbers, not measured here and never ranked with the others.")
    return " ".join(told)


def marks_text(metrics: Sequence[BoundMetric], rows: Sequence[Row], second: str) -> str:
    """How the marks of these rows came about; empty where there are none. `second` says how the second is set."""
    marked = {entry.mark for row in rows for entry in row.entries.values()}
    if "best" not in marked:
        return ""
    kinds = {"set" if one.spec.kind == "set" else "item" for one in metrics}
    ways = [f"paired sign-flip test over items, Holm, {ALPHA:.0%}"] if "item" in kinds else []
    ways += ["for metrics of a whole set: intervals that overlap"] if "set" in kinds else []
    text = "Bold: the best system"
    if "tied" in marked:
        text += f" and those not distinguishable from it ({'; '.join(ways)})"
    return f"{text}; {second}: the best of the others. A column without bold: no system could be told from the best."


def fingerprints_of(source: Source, metrics: Sequence[BoundMetric | None]) -> dict[str, str]:
    """Items, reference set and each metric, by their first digits."""
    plan = source.plan
    found = {"items": plan.items_digest[:SHORT]}
    if plan.reference_set:
        found["reference set"] = plan.reference_set_digest[:SHORT]
    for one in metrics:
        if one is not None:
            # Two metrics of one name differ by their judges.
            name = one.title if one.title not in found else f"{one.title} ({one.preset})"
            found[name] = one.fingerprint[:SHORT]
    return found
