"""How large a suite must be: items and seeds for a margin, and the least margin that the present suite can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from calm_eval.gate.baseline import Baseline
from calm_eval.gate.coverage import Side, baseline_side
from calm_eval.gate.enough import POWER, Noise, items_for_power, noise_between_runs, smallest_margin
from calm_eval.metrics.protocol import MetricSpec
from calm_eval.reports.markdown import escape, table
from calm_eval.reports.rounding import three_digits
from calm_eval.runs.paired import paired_parts
from calm_eval.specs.policy import GateSpec, PolicySpec


@dataclass(frozen=True)
class Needed:
    """What one gate needs. `items` by number of seeds, None where no number of items is enough; margins in the unit."""

    gate: GateSpec
    spec: MetricSpec
    have_items: int
    have_seeds: int
    noise: Noise | None
    least_margin: float | None
    items: dict[int, int | None]


def plan_gates(baseline: Baseline, policy: PolicySpec, where: str) -> list[Needed]:
    """For every gate with values item by item. Raises InputError as `baseline_side`."""
    found = []
    for gate in policy.gates:
        side = baseline_side(baseline.snapshot, gate, where)
        if side.metric.spec.kind != "set":
            found.append(_needed(gate, side, policy.alpha))
    return found


def _needed(gate: GateSpec, side: Side, alpha: float) -> Needed:
    values = side.measured.parts()
    (top, bottom), _ = paired_parts(values, values, side.suite.seeds)
    spec, seeds, items = side.metric.spec, side.suite.seeds, len({item for item, _ in values})
    noise = noise_between_runs(top, bottom)
    if noise is None:
        return Needed(gate, spec, items, seeds, None, None, {})
    return Needed(
        gate,
        spec,
        items,
        seeds,
        noise,
        smallest_margin(noise, items, seeds, alpha=alpha) * spec.scale,
        {
            count: items_for_power(noise, gate.margin / spec.scale, count, alpha=alpha)
            for count in sorted({1, seeds, 2 * seeds})
        },
    )


def plan_text(found: Sequence[Needed], policy: PolicySpec) -> str:
    """A table, and what it assumes."""
    rows = [_row(one) for one in found]
    header = ["suite", "row", "metric", "margin", "items × seeds now", "least margin now", "items needed"]
    parts = [
        f"# What {escape(policy.policy)} needs",
        table(header, rows, numbers=False),
        f"For a candidate that lost nothing to pass with a probability of {POWER:.0%}, at alpha {policy.alpha:g}; a "
        "loss of twice the margin is then found at least as often. The noise is that of two runs of one system on the "
        "same items, from the baseline's seeds. A candidate that changes single items for better and worse has more of "
        "it.",
    ]
    if any(one.noise is not None and not one.noise.known for one in found):
        parts.append(
            "≤: the baseline has one seed, so the spread between its items stands for the noise between runs, which is "
            "too much. Two seeds tell it."
        )
    return "\n\n".join(parts) + "\n"


def _row(one: Needed) -> list[str]:
    spec, gate = one.spec, one.gate
    bound = "≤ " if one.noise is not None and not one.noise.known else ""
    least = "–" if one.least_margin is None else f"{bound}{three_digits(one.least_margin)}"
    needed = "; ".join(
        f"{bound}{items} × {seeds}" if items is not None else f"none with {seeds}" for seeds, items in one.items.items()
    )
    return [
        escape(gate.suite),
        escape(gate.row),
        f"{escape(spec.title)} ({escape(spec.unit)})",
        f"{gate.margin:g}",
        f"{one.have_items} × {one.have_seeds}",
        least,
        needed or "–",
    ]
