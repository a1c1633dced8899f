"""Do the controls show the scale? The reference best and noise or silence worst, wherever a metric can see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bar import Bar

from calm_eval.metrics.bound import BoundMetric
from calm_eval.reports.source import opened
from calm_eval.reports.tables.marks import Test
from calm_eval.runs.aggregate import Cell
from calm_eval.runs.run import Run
from calm_eval.stats.holm import holm
from calm_eval.stats.verdict import ALPHA, intervals_meet

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
class Scale:
    """What the controls show by one metric: what is wrong (empty: nothing), or why it cannot be told."""

    metric: str
    wrong: tuple[str, ...] = ()
    untold: str = ""


def scale(cells: Sequence[Cell], test: Test) -> Scale:
    """Of one metric: no row may be told to be better than the reference, nor worse than the worse of noise and silence.

    Told as in the tables: by the paired test with Holm's adjustment, for a metric of the whole set by intervals that do
    not meet. Shuffled rows are left out.
    """
    bound = cells[0].metric
    known = [cell for cell in cells if cell.estimate.value is not None and _control(cell) not in SHUFFLED]
    references = [cell for cell in known if _control(cell) == "reference"]
    lows = [cell for cell in known if _control(cell) in ("noise", "silence")]
    if not references or not lows:
        return Scale(
            bound.spec.name, untold="no value for " + ("the reference" if not references else "noise or silence")
        )
    sign = 1.0 if bound.spec.higher_is_better else -1.0
    reference, lowest = references[0], min(lows, key=lambda cell: sign * _value(cell))
    above = [cell for cell in known if sign * _value(cell) > sign * _value(reference)]
    below = [cell for cell in known if sign * _value(cell) < sign * _value(lowest)]
    wrong = [f"{_told(cell)} above {_told(reference)}" for cell in _apart(bound, reference, above, test)]
    wrong += [f"{_told(cell)} below {_told(lowest)}" for cell in _apart(bound, lowest, below, test)]
    return Scale(bound.spec.name, tuple(wrong))


def _apart(bound: BoundMetric, end: Cell, cells: Sequence[Cell], test: Test) -> list[Cell]:
    """Those of `cells` that can be told from the row at one end of the scale."""
    if bound.spec.kind == "set":
        return [cell for cell in cells if not intervals_meet(end.estimate, cell.estimate)]
    ps = [test(bound, end.variant.name, cell.variant.name) for cell in cells]
    tested = [(cell, p) for cell, p in zip(cells, ps, strict=True) if p is not None]
    adjusted = holm([p for _, p in tested])
    return [cell for (cell, _), p in zip(tested, adjusted, strict=True) if p < ALPHA]


def _control(cell: Cell) -> str:
    """The kind of control that a row is; empty for a system."""
    return str(cell.variant.identity.get("control", ""))


def _value(cell: Cell) -> float:
    value = cell.estimate.value
    if value is None:
        raise ValueError(f"{cell.variant.name} has no value")
    return value


def _told(cell: Cell) -> str:
    return f"{cell.variant.name} {_value(cell):.4g}"


def scales(cells: Sequence[Cell], test: Test) -> list[Scale]:
    """One for each metric that can see the controls, in the order of the cells."""
    by_metric: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.metric.spec.name not in BLIND:
            by_metric.setdefault(cell.metric.fingerprint, []).append(cell)
    return [scale(mine, test) for mine in by_metric.values()]


def bars(run: Run) -> list[Bar]:
    """One for each suite of a run, and the list of the metrics that were left out."""
    with opened(run) as (sources, _):
        found = [_of_suite(one.plan.suite.name, scales(one.cells, one.pairs.p)) for one in sources]
    left_out = "; ".join(f"{name}: {why}" for name, why in BLIND.items())
    return [*found, Bar("metrics that cannot see the controls", "left out of the bars above", left_out, None)]


def _of_suite(suite: str, found: Sequence[Scale]) -> Bar:
    told = [one for one in found if not one.untold]
    holds = [one.metric for one in told if not one.wrong]
    parts = [f"holds: {', '.join(holds) or 'none'}"]
    parts += [f"does not: {one.metric} ({'; '.join(one.wrong)})" for one in told if one.wrong]
    parts += [f"not told: {one.metric} ({one.untold})" for one in found if one.untold]
    limit = (
        "by every metric that can see it, no row told to be better than the reference or worse than noise or silence"
    )
    name = f"{suite}: reference best, noise or silence worst"
    return Bar(name, limit, ". ".join(parts), bool(told) and len(holds) == len(told))
