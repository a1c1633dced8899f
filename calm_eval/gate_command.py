"""`calm-eval gate`: its words, and what is printed and written."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from calm_eval.errors import InputError

if TYPE_CHECKING:
    from calm_eval.gate.decide import GateReport

PLAN = "plan"

HELP = "a candidate against a baseline: PASS, FAIL or INCONCLUSIVE"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `calm-eval gate`."""
    add = parser.add_argument
    add("candidate", metavar="CANDIDATE|plan", help="run folder; or `plan`: how large a suite the margins need")
    add("--baseline", type=Path, required=True, metavar="DIR", help="what `calm-eval baseline accept` wrote")
    add("--policy", type=Path, metavar="YAML", help="default: the one that was accepted with the baseline")
    add("--rescore", action="store_true", help="score the baseline's audio by today's metrics where they changed")
    add(
        "--regenerate",
        type=int,
        metavar="N",
        help="make N items anew with the baseline's weights: model or environment?",
    )
    add("--with", dest="system", metavar="SYSTEM", help="the baseline's system file, where the candidate's is another")
    add("--latency", type=Path, metavar="DIR", help="what `calm-eval latency NEW --against OLD` wrote in this job")
    add("--out", type=Path, metavar="DIR", help="also write gate.md, gate.json and gate.xml (JUnit) there")


def run(arguments: argparse.Namespace) -> int:
    """Decide, print and write. Returns 0 PASS, 1 FAIL, 3 INCONCLUSIVE. Raises InputError or StoreError."""
    from calm_eval.gate.as_markdown import gate_markdown
    from calm_eval.gate.gate_run import Blame, gate_run
    from calm_eval.gate.on_github import annotation_lines, write_summary
    from calm_eval.gate.ruling import EXIT_CODES

    if arguments.candidate == PLAN:
        return _plan(arguments)
    if arguments.regenerate is not None and arguments.regenerate < 1:
        raise InputError(f"--regenerate {arguments.regenerate}: at least one item is needed")
    if arguments.system is not None and arguments.regenerate is None:
        raise InputError("--with names the system for --regenerate N, which is not there")
    blame = Blame(arguments.rescore, arguments.regenerate, arguments.system)
    report = gate_run(Path(arguments.candidate), arguments.baseline, arguments.policy, blame, arguments.latency)
    print(gate_markdown(report))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotation_lines(report):
            print(line)
        write_summary(report, os.environ)
    if arguments.out is not None:
        _write(report, arguments.out)
    return EXIT_CODES[report.verdict]


def _plan(arguments: argparse.Namespace) -> int:
    from calm_eval.gate.baseline import read_baseline
    from calm_eval.gate.gate_run import policy_of
    from calm_eval.gate.plan import plan_gates, plan_text

    baseline = read_baseline(arguments.baseline)
    policy, where = policy_of(baseline, arguments.policy)
    print(plan_text(plan_gates(baseline, policy, where), policy), end="")
    return 0


def _write(report: GateReport, out: Path) -> None:
    from calm_eval.gate.as_json import gate_json
    from calm_eval.gate.as_junit import gate_junit
    from calm_eval.gate.as_markdown import gate_markdown
    from calm_eval.reports.write_out import make_out, write_out

    make_out(out)
    write_out(out / "gate.md", gate_markdown(report))
    write_out(out / "gate.json", gate_json(report))
    write_out(out / "gate.xml", gate_junit(report).decode())
    print(f"Written: {', '.join(str(out / name) for name in ('gate.md', 'gate.json', 'gate.xml'))}")
