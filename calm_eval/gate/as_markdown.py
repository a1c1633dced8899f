"""The gate's verdict as Markdown: a comment under a change, a step summary, a file."""

from __future__ import annotations

from collections.abc import Sequence

from calm_eval.gate.decide import GateReport, Line
from calm_eval.gate.latency_line import LatencyLine
from calm_eval.gate.snapshot import SuiteSnapshot
from calm_eval.keys import SHORT
from calm_eval.reports.markdown import escape, table
from calm_eval.reports.rounding import three_digits
from calm_eval.reports.shuffled_table import p_text
from calm_eval.runs.environment import flat_environment

_HEADER = ["", "suite", "row", "metric", "baseline", "candidate", "loss", "margin", "p", "why"]


def gate_markdown(report: GateReport) -> str:
    """Verdict, table, what each line means, and what differs around the numbers."""
    alpha = report.policy.alpha
    parts = [
        f"## {report.verdict}: {escape(report.policy.policy)}",
        f"Against the baseline accepted at {report.baseline.accepted_at} ({escape(report.baseline.why)}).",
        table(_HEADER, [_row(line) for line in report.lines], numbers=False),
        *_times(report.latency),
        *_causes(report.lines),
        f"Loss: how much worse the candidate is, paired by item and seed, with bounds that each hold with "
        f"{1 - alpha:.0%}. PASS: the upper bound lies below the margin. FAIL: the loss is at least the margin and p, "
        f"adjusted by Holm over the gates that decide, at most {alpha:g}. A candidate in which nothing changed fails "
        f"with a probability of {alpha:.0%} at most; one that lost the margin in one metric passes with {alpha:.0%} at "
        "most.",
        *_looks(report),
        *_around(report),
    ]
    return "\n\n".join(parts) + "\n"


def _times(lines: Sequence[LatencyLine]) -> list[str]:
    """The time gates, where there are any."""
    if not lines:
        return []
    rows = [
        [
            f"**{line.verdict}**" if line.gate.primary else f"({line.verdict})",
            escape(line.gate.row),
            escape(line.gate.against),
            line.gate.quantity.replace("_", " "),
            ratio_text(line),
            f"{line.gate.margin:g}",
            escape(line.why),
        ]
        for line in lines
    ]
    header = ["", "row", "against", "time", "ratio", "margin", "why"]
    return [
        table(header, rows, numbers=False),
        "Ratio: the row's time over the other's, for a second of audio, both measured in this job in turns; 95 % "
        "interval for another measurement of this size.",
    ]


def ratio_text(line: LatencyLine) -> str:
    """`1.31 (1.2 to 1.4)`; a dash where nothing was compared."""
    if line.ratio is None:
        return "–"
    if line.low is None or line.high is None:
        return three_digits(line.ratio)
    return f"{three_digits(line.ratio)} ({three_digits(line.low)} to {three_digits(line.high)})"


def _looks(report: GateReport) -> list[str]:
    """Which look this is; nothing where the policy plans one."""
    looks = {line.look for line in report.lines if line.look is not None and line.look.of > 1}
    return [
        f"Look {one.number} of {one.of}, at {one.seeds} seed{'s' if one.seeds > 1 else ''}: of alpha it may spend "
        f"{one.alpha:.2g}."
        for one in sorted(looks, key=lambda look: look.number)
    ]


def _row(line: Line) -> list[str]:
    spec = line.spec
    arrow = "↑" if spec.higher_is_better else "↓"
    verdict = f"**{line.verdict}**" if line.gate.primary else f"({line.verdict})"
    return [
        verdict,
        escape(line.gate.suite),
        escape(line.gate.row),
        f"{escape(spec.title)} ({escape(spec.unit)}) {arrow}",
        _number(line.before, spec.scale),
        _number(line.after, spec.scale),
        loss_text(line),
        f"{line.gate.margin:g}",
        "–" if line.p is None else p_text(line.p),
        escape(why_text(line)),
    ]


def loss_text(line: Line) -> str:
    """`0.31 (-0.2 to 0.8)` in the unit; a dash where nothing was compared."""
    if line.loss is None:
        return "–"
    loss, scale = line.loss, line.spec.scale
    if loss.low is None or loss.high is None:
        return three_digits(loss.loss * scale)
    return f"{three_digits(loss.loss * scale)} ({three_digits(loss.low * scale)} to {three_digits(loss.high * scale)})"


def why_text(line: Line) -> str:
    """The reason, and what would decide what is open."""
    told = line.why if line.cause is None else f"{line.cause}: {line.why}"
    ways = [f"about {line.items} items"] if line.items is not None else []
    ways += [f"about {line.seeds} seeds"] if line.seeds is not None else []
    told = f"{told}; would be decided by {' or '.join(ways)}" if ways else told
    if line.verdict == "INCONCLUSIVE" and line.look is not None and line.look.next_seeds is not None:
        told += f"; the next look is at {line.look.next_seeds} seeds"
    return told


def _number(value: float | None, scale: float) -> str:
    return "–" if value is None else three_digits(value * scale)


def _causes(lines: Sequence[Line]) -> list[str]:
    """What a reader can make of the causes; nothing where there are none."""
    told = []
    same = [line for line in lines if line.sounds and line.alike == line.sounds]
    if lines and len(same) == len(lines):
        told.append("Every sound is the baseline's to the bit: only what measures can have changed.")
    if any(line.cause == "model or environment" for line in lines):
        told.append(
            "Model or environment: what makes the sounds, or what it runs on. Some items made anew with the baseline's "
            "weights would tell which."
        )
    if any(line.shift == 0 for line in lines):
        told.append("The metric's fingerprint changed, and on the baseline's audio each of its values is the same.")
    return told


def _print(suite: SuiteSnapshot | None, row: str) -> str:
    return "–" if suite is None or row not in suite.rows else suite.rows[row].fingerprint[:SHORT]


def _around(report: GateReport) -> list[str]:
    """What differs in systems and environment."""
    before, after = report.baseline.snapshot, report.candidate
    rows = []
    for line in report.lines:
        sides = [one.suites.get(line.gate.suite) for one in (before, after)]
        prints = [_print(side, line.gate.row) for side in sides]
        if prints[0] != prints[1]:
            rows.append(["system", escape(line.gate.row), *prints])
    old, new = flat_environment(before.environment), flat_environment(after.environment)
    rows += [
        ["environment", escape(name), escape(old.get(name, "–")), escape(new.get(name, "–"))]
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]
    if before.calm_eval != after.calm_eval:
        rows.append(["harness", "calm-eval", before.calm_eval, after.calm_eval])
    unique = list(dict.fromkeys(tuple(row) for row in rows))
    if not unique:
        return ["Systems and environment are those of the baseline."]
    return ["What differs around the numbers:", table(["what", "name", "baseline", "candidate"], unique, numbers=False)]
