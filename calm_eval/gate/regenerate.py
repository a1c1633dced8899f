"""Some items made anew with the baseline's weights, today and here: what changed, the model or the environment?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from calm_eval.errors import InputError
from calm_eval.gate.decide import Cause, GateReport, Line
from calm_eval.gate.snapshot import snapshot_of
from calm_eval.runs.evaluate import evaluate
from calm_eval.runs.order import Order, stored_order
from calm_eval.runs.plan import Wishes
from calm_eval.runs.run import Run
from calm_eval.specs.locate import expand_suites
from calm_eval.specs.suite import LoadedSuite, load_suite
from calm_eval.specs.system import beside, load_system

OPEN: Cause = "model or environment"


@dataclass(frozen=True)
class Regenerated:
    """How many sounds of a row were made anew, how many of them are the baseline's to the bit."""

    sounds: int
    alike: int
    same_system: bool
    """Whether the candidate's own system is the baseline's, by its fingerprint."""

    @property
    def cause(self) -> Cause:
        """Sounds alike leave the model alone; other sounds by the candidate's own system, the environment."""
        if self.alike == self.sounds:
            return "model"
        return "environment" if self.same_system else "model and environment"

    @property
    def told(self) -> str:
        """In words, for the line of a gate."""
        return (
            f"{self.alike} of {self.sounds} sounds made anew with the baseline's weights are the baseline's to the bit"
        )


def settle(report: GateReport, candidate: Run, scratch: Path, items: int, system: str | None = None) -> GateReport:
    """The report with each open cause decided from `items` items of its row, made under the candidate's conditions.

    `system` names the baseline's system file where the candidate's is another. Raises InputError where the system is
    not the baseline's by its fingerprint, and as `evaluate`.
    """
    rows = list(dict.fromkeys((line.gate.suite, line.gate.row) for line in report.lines if line.cause == OPEN))
    found = {
        place: _make(report, candidate, scratch / str(number), place, items, system)
        for number, place in enumerate(rows)
    }
    return replace(report, lines=[_settled(line, found) for line in report.lines])


def _settled(line: Line, found: Mapping[tuple[str, str], Regenerated]) -> Line:
    if line.cause != OPEN:
        return line
    made = found[line.gate.suite, line.gate.row]
    return replace(line, cause=made.cause, why=f"{line.why}; {made.told}")


def _make(
    report: GateReport,
    candidate: Run,
    folder: Path,
    place: tuple[str, str],
    items: int,
    system: str | None,
) -> Regenerated:
    name, row = place
    baseline = report.baseline.snapshot
    before, after = (one.suites[name].rows[row] for one in (baseline, report.candidate))
    order = stored_order(candidate.folder)
    suite = _suite(order, name)
    asked = system if system is not None else _system(order, suite, before.system)
    wishes = Wishes(
        systems=[asked],
        limit=_reaching(candidate, name, items),
        seeds=baseline.suites[name].seeds,
        sweep={key: [value] for key, value in before.sampling.items()},
    )
    run = evaluate(
        Order((str(suite.path),), wishes, order.conditions, command=order.command),
        folder,
        stages=("generate",),
        quiet=True,
    )
    made = snapshot_of(run).suites[name].rows.get(row)
    if made is None or made.fingerprint != before.fingerprint:
        raise InputError(
            f"--regenerate: {asked} is not the system of the baseline's row '{row}' (another fingerprint); name its "
            "system file, with the weights of that time, with --with"
        )
    both = [one for one in made.sounds if one in before.sounds]
    alike = sum(made.sounds[one] == before.sounds[one] for one in both)
    return Regenerated(len(both), alike, after.fingerprint == before.fingerprint)


def _suite(order: Order, name: str) -> LoadedSuite:
    for path in expand_suites(list(order.suites)):
        suite = load_suite(path)
        if suite.spec.name == name:
            return suite
    raise InputError(f"--regenerate: the candidate's suite '{name}' is not where it was when the run was made")


def _system(order: Order, suite: LoadedSuite, system: str) -> str:
    """The file of a system by its name, among those that the candidate's run was asked for."""
    named: Sequence[str] | None = order.wishes.systems
    for one in named if named is not None else [use.name for use in suite.spec.system_uses()]:
        path = beside(suite.path, one)
        if load_system(path).spec.name == system:
            return path
    raise InputError(f"--regenerate: no system '{system}' in the candidate's run; name its file with --with")


def _reaching(candidate: Run, suite: str, items: int) -> int:
    """How many of the suite's first items hold so many that are in its tables."""
    planned = candidate.items(suite)
    scored = [place for place, item in enumerate(planned) if not item.tuning][:items]
    return scored[-1] + 1 if scored else len(planned)
