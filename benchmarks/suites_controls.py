"""Do the controls show the scale? The reference best and noise or silence worst, wherever a metric can see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bar import Bar

from calm_eval.runs.aggregate import Cell
from calm_eval.runs.plan_store import StoredPlan
from calm_eval.runs.run import Run

BLIND: Mapping[str, str] = {
    "fad_floor": "tells how far the number of clips alone moves FAD, and nothing of how they sound",
    "vert": "tells how varied the words are: neither end of its scale is good",
    "perplexity_mini": "a dull common phrase is more probable than good speech, and silence has no words",
    "loop_strength": "music repeats itself, and neither noise nor silence does",
    "log_mel_copy": "tells how much of the prompt comes back: noise and silence copy nothing",
    "silence_share": "good speech and music have rests; noise has none",
    "rtf": "time; controls are not timed",
    "first_audio": "time; controls are not timed",
}
"""Metrics on which reference, noise and silence need not stand at the ends of the table, each with its reason."""

SHUFFLED = ("shuffled", "shuffled_texts", "shuffled_prompts")
"""Clean sound that belongs to another item: another scale than that of noise, and may well lie below silence."""


@dataclass(frozen=True)
class Row:
    """A row of the table by one metric; `control` is the kind of control, empty for a system."""

    name: str
    control: str
    value: float


@dataclass(frozen=True)
class Scale:
    """What the controls show by one metric: what is wrong (empty: nothing), or why it cannot be told."""

    metric: str
    wrong: tuple[str, ...] = ()
    untold: str = ""


def scale(metric: str, rows: Sequence[Row], higher_is_better: bool) -> Scale:
    """The reference must be best of all rows, and noise or silence worst; shuffled rows are left out. Ties count."""
    sign = 1.0 if higher_is_better else -1.0
    known = [row for row in rows if row.control not in SHUFFLED]
    references = [row for row in known if row.control == "reference"]
    lows = [row for row in known if row.control in ("noise", "silence")]
    if not references or not lows:
        return Scale(metric, untold="no value for " + ("the reference" if not references else "noise and silence"))
    best = max(known, key=lambda row: sign * row.value)
    worst = min(known, key=lambda row: sign * row.value)
    wrong = []
    if sign * best.value > sign * references[0].value:
        wrong.append(f"{best.name} {best.value:.4g} above the reference's {references[0].value:.4g}")
    lowest = min(lows, key=lambda row: sign * row.value)
    if sign * worst.value < sign * lowest.value:
        wrong.append(f"{worst.name} {worst.value:.4g} below {lowest.name} {lowest.value:.4g}")
    return Scale(metric, tuple(wrong))


def scales(cells: Sequence[Cell]) -> list[Scale]:
    """One for each metric that can see the controls, in the order of the cells."""
    by_metric: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.metric.spec.name not in BLIND:
            by_metric.setdefault(cell.metric.fingerprint, []).append(cell)
    return [
        scale(
            mine[0].metric.spec.name,
            [
                Row(cell.variant.name, str(cell.variant.identity.get("control", "")), cell.estimate.value)
                for cell in mine
                if cell.estimate.value is not None
            ],
            mine[0].metric.spec.higher_is_better,
        )
        for mine in by_metric.values()
    ]


def bars(run: Run) -> list[Bar]:
    """One for each suite of a run, and the list of the metrics that were left out."""
    found = [_of_suite(plan, cells) for plan, cells in run.cells()]
    left_out = "; ".join(f"{name}: {why}" for name, why in BLIND.items())
    return [*found, Bar("metrics that cannot see the controls", "left out of the bars above", left_out, None)]


def _of_suite(plan: StoredPlan, cells: Sequence[Cell]) -> Bar:
    found = scales(cells)
    told = [one for one in found if not one.untold]
    holds = [one.metric for one in told if not one.wrong]
    parts = [f"holds: {', '.join(holds) or 'none'}"]
    parts += [f"does not: {one.metric} ({'; '.join(one.wrong)})" for one in told if one.wrong]
    parts += [f"not told: {one.metric} ({one.untold})" for one in found if one.untold]
    name = f"{plan.suite.name}: reference best, noise or silence worst"
    return Bar(name, "every metric that can see it", ". ".join(parts), bool(told) and len(holds) == len(told))
